"""Online sources over real sockets: geocli against the emulators, as a process and within this one."""
