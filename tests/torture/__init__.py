"""The promise under torture: a printed answer reaches the store, whatever happens in between.

``python -m tests.torture --kills 500 --seed 1`` runs rounds until so many processes were killed. In a round
several geocli processes share one data directory: look-ups of a few and of very many addresses (those have
forked workers), over overlapping lists, some with ``--refresh``, some asking an online source (an emulator),
``refresh``, ban lists that are recorded, and one or two flushes. Most of them are killed with SIGKILL
(``aims`` says when):

* at a random time of the life that such a process typically has;
* a moment after its first output, or after something was written to a database: during a commit, between
  the store's commit and the journal's forgetting, between journalling and printing;
* just before its n-th call of one of the system calls that change files, take locks or print (``strace``).

What is killed is the process and its group, or only itself, so that its workers must end by themselves, or
only one of its workers, which nobody may notice.

After each round nothing is repaired. The databases are copied as they lie there, and read (``disk``). Then:

* Every complete line that any process printed was right: the addresses in the order of the input, and
  whoever was not killed printed all of them, and exited with 0.
* Each printed answer is in journal or store, or a better one: newer, and never "unknown" for "ok"
  (``ledger``). So is whatever was there after an earlier round, and each ban of a list whose recording ended
  with 0.
* No two answers of one source about one address differ in anything but the time.
* Both files pass ``PRAGMA integrity_check``, and nothing was put into quarantine.
* No process is left over.
* The next ``stats``, ``lookup`` and ``flush``, in any order, work, on these files or on a copy of them;
  in that case the next round starts from the wreck. ``stats`` tells what is there.

After some rounds the data directory is flushed until nothing is dirty, checked once more, and the next round
begins with none at all, so that the making of the files is interrupted as often as their use.

All choices follow from the seed. The moments are the machine's, except those given in system calls.
``python -m tests.torture.every_call`` leaves those to nobody: it kills one look-up and one flush before each.

A killed process is no power cut: what it wrote is still in the system's memory. How often geocli waits for
the disk is counted in ``tests/test_disk_waits.py``.
"""
