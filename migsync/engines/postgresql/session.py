"""The session in which a script runs: what it must be, and what the script makes of it."""

from __future__ import annotations

CHANGE = "pg_temp.migsync_change"
KEPT = "pg_temp.migsync_kept"
CALLER_COMMITS = "migsync.caller_commits"
"""A setting with which whoever runs the script in a transaction of their own says so."""


def needs(table: str) -> str:
    """What a script needs of the session and the server, checked before anything else; `table` is a literal."""
    # An open transaction may never be committed, as in a psql with AUTOCOMMIT off: "applied" would be untrue. The two
    # times also differ in clients that send each statement in several messages (JDBC), hence the setting.
    # Under a stricter isolation the snapshot would be older than the lock, and a row of the meantime not be seen.
    return f"""\
    -- What this script needs; otherwise it stops here, before anything is changed.
    IF pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN
        RAISE EXCEPTION 'migsync: nothing changed: this session cannot write to the database %', current_database()
            USING HINT = 'Connect to the primary server, with default_transaction_read_only off.';
    END IF;
    IF caller_commits AND current_setting('{CALLER_COMMITS}', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'migsync: nothing changed: a transaction is open (BEGIN, psql -1, or AUTOCOMMIT off)'
            USING HINT = 'Run this script outside a transaction, without -1 and with AUTOCOMMIT on. '
                'To run it in your own transaction and COMMIT that yourself, first: SET {CALLER_COMMITS} = on;';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'migsync: nothing changed: this script must run at READ COMMITTED'
            USING HINT = 'Run this first: SET default_transaction_isolation = ''read committed'';';
    END IF;
    IF to_regclass({table}) IS NULL THEN
        RAISE EXCEPTION 'migsync: nothing changed: the database % has no table %', current_database(),
            {table}
            USING HINT = 'Connect to the database that the first lines of this script name.';
    END IF;
"""


SESSION = """\
    SET LOCAL lock_timeout = '{seconds}s';
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL DateStyle = 'ISO, YMD';
    SET LOCAL client_min_messages = 'warning';"""

# The session is the caller's, and so may be the rest of the transaction.
RESTORE = f"""\
    DROP TABLE {CHANGE}, {KEPT};
    PERFORM set_config('lock_timeout', settings[1], true), set_config('TimeZone', settings[2], true),
            set_config('DateStyle', settings[3], true), set_config('client_min_messages', settings[4], true);"""
