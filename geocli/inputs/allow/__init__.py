"""Who must never be banned: where this machine, its admins and its configuration tell it, one module each.

Each module returns ``Spared`` entries: what it cannot read tells of nobody, what it cannot understand it
passes over, and the one who asks hears of what a user should know.
"""
