"""``migsync demo``: a small real Django project to see migsync at work, and to go on playing with."""
