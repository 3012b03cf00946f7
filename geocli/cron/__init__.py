"""What runs geocli by itself: jobs in a crontab, in ``/etc/cron.d``, or as systemd timers.

* ``jobs``: what runs and when, the same for cron and systemd.
* ``block``: geocli's lines between marks in the text of a crontab; the rest stays byte for byte.
* ``crontab``: where such a text is kept, by the ``crontab`` program or in a file.
* ``systemd``: the jobs as units.

Nothing here prints. Tables are bytes: a crontab is in any encoding, or in none.
"""
