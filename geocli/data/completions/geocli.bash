# Completion of geocli for bash.
_geocli_completion() {
    local IFS=$'
'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" \
                   COMP_CWORD=$COMP_CWORD \
                   _GEOCLI_COMPLETE=complete_bash $1 ) )
    return 0
}

complete -o default -F _geocli_completion geocli
