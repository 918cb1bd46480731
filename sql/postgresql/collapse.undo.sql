-- migsync 1.0.0rc1: undo plan 6e6667e141f2bbc34804336f0aab3417
--
-- 1 rename, 2 inserts in django_migrations (shop).
-- Every row that stays keeps its id and its applied timestamp.
--
-- Database    default (postgresql, schema public)
-- Identity    the identity that the server gave
-- To run      psql -X -v ON_ERROR_STOP=1 -d DATABASE -f default.undo.sql
-- To undo     psql -X -v ON_ERROR_STOP=1 -d DATABASE -f default.apply.sql
--
-- It needs:
--   a database with the table public.django_migrations
--   no open transaction: no BEGIN, no psql -1, and AUTOCOMMIT on
--   a session that can write, at READ COMMITTED
-- The script checks this first. If it is not so, it says so and changes nothing.
--
-- The script makes all changes or none, even if the client continues after an error.
-- It is safe to run it again. The outcome is one of these, or an error:
--   migsync: undone, 3 rows
--   migsync: already undone
--   migsync: stale, nothing changed   (the rows are not those of the plan)
--
-- Reverts:
--   20261120T104500_collapse.toml    (migsync rewrite collapse, 2026-11-20T10:45:00Z)
--
-- undo of plan 6e6667e141f2:
--   restore row 3: shop.0003_add_b, applied 2025-03-03 09:30:00+00
--   restore row 2: shop.0002_add_a, applied 2025-03-02 09:30:00.123456+00
--   rename row 4: shop.0002_squashed_0004_add_c -> shop.0004_add_c

DO $migsync$
DECLARE
    present bigint;    -- rows that have an id of the plan
    as_before bigint;  -- those that are as before the plan
    as_after bigint;   -- those that are as after the plan
    bearers bigint;    -- rows that have a new name of the plan
    inserted bigint;   -- those that are a new row of the plan
    named bigint := 0; -- rows that the plan deletes without knowing their id
    beside bigint;     -- other rows of the same apps
    kept bigint;       -- those that are as they were when the plan was made
    standing text;     -- the last run of the plan that is in force
    written bigint;    -- rows that the last statement changed
    caller_commits boolean := now() <> statement_timestamp();  -- a transaction was open before this statement
    settings text[] := ARRAY[
        current_setting('lock_timeout'), current_setting('TimeZone'), current_setting('DateStyle'),
        current_setting('client_min_messages')
    ];
BEGIN
    -- What this script needs; otherwise it stops here, before anything is changed.
    IF pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN
        RAISE EXCEPTION 'migsync: nothing changed: this session cannot write to the database %', current_database()
            USING HINT = 'Connect to the primary server, with default_transaction_read_only off.';
    END IF;
    IF caller_commits AND current_setting('migsync.caller_commits', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'migsync: nothing changed: a transaction is open (BEGIN, psql -1, or AUTOCOMMIT off)'
            USING HINT = 'Run this script outside a transaction, without -1 and with AUTOCOMMIT on. '
                'To run it in your own transaction and COMMIT that yourself, first: SET migsync.caller_commits = on;';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'migsync: nothing changed: this script must run at READ COMMITTED'
            USING HINT = 'Run this first: SET default_transaction_isolation = ''read committed'';';
    END IF;
    IF to_regclass('public.django_migrations') IS NULL THEN
        RAISE EXCEPTION 'migsync: nothing changed: the database % has no table %', current_database(),
            'public.django_migrations'
            USING HINT = 'Connect to the database that the first lines of this script name.';
    END IF;

    SET LOCAL lock_timeout = '10s';
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL DateStyle = 'ISO, YMD';
    SET LOCAL client_min_messages = 'warning';

    -- A row without name is inserted; a row without new_name is deleted.
    CREATE TEMPORARY TABLE migsync_change (
        n bigint, id bigint, applied text, app text, name text, new_app text, new_name text
    ) ON COMMIT DROP;
    INSERT INTO pg_temp.migsync_change VALUES
        (1, 3, '2025-03-03 09:30:00+00', NULL, NULL, 'shop', '0003_add_b'),
        (2, 2, '2025-03-02 09:30:00.123456+00', NULL, NULL, 'shop', '0002_add_a'),
        (3, 4, '2025-03-04 09:30:00.123456+00', 'shop', '0002_squashed_0004_add_c', 'shop', '0004_add_c');

    -- The other rows of these apps, which stay as they are.
    CREATE TEMPORARY TABLE migsync_kept (id bigint, applied text, app text, name text) ON COMMIT DROP;

    -- Readers continue. Writers wait, and so does migrate in a project with migsync.companion.
    PERFORM pg_advisory_xact_lock(575434166107128376);
    LOCK TABLE public.django_migrations IN SHARE ROW EXCLUSIVE MODE;

    IF to_regclass('public.migsync_run') IS NULL THEN
        CREATE TABLE IF NOT EXISTS public.migsync_run (
            id VARCHAR(32) NOT NULL,
            number INTEGER NOT NULL,
            kind VARCHAR(8) NOT NULL,
            plan_id VARCHAR(32) NOT NULL,
            at VARCHAR(32) NOT NULL,
            author VARCHAR(255) NOT NULL,
            version VARCHAR(32) NOT NULL,
            reason TEXT NOT NULL,
            undoes VARCHAR(32),
            passed TEXT NOT NULL,
            returned TEXT NOT NULL,
            changes TEXT NOT NULL,
            digests TEXT NOT NULL,
            PRIMARY KEY (id),
            UNIQUE (number)
        );
        CREATE TABLE IF NOT EXISTS public.migsync_content (
            digest VARCHAR(64) NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (digest)
        );
        CREATE TABLE IF NOT EXISTS public.migsync_content_seen (
            number BIGINT GENERATED BY DEFAULT AS IDENTITY,
            schema_name VARCHAR(64) NOT NULL,
            record BIGINT NOT NULL,
            app VARCHAR(255) NOT NULL,
            name VARCHAR(255) NOT NULL,
            event VARCHAR(16) NOT NULL,
            source VARCHAR(64) NOT NULL,
            content VARCHAR(64) NOT NULL,
            at VARCHAR(32) NOT NULL,
            PRIMARY KEY (number),
            CONSTRAINT migsync_content_seen_schema UNIQUE (schema_name, number)
        );
        CREATE TABLE IF NOT EXISTS public.migsync_files (
            digest VARCHAR(64) NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (digest)
        );
        CREATE TABLE IF NOT EXISTS public.migsync_source (
            digest VARCHAR(64) NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (digest)
        );
        CREATE TABLE IF NOT EXISTS public.migsync_look (
            schema_name VARCHAR(64) NOT NULL,
            number BIGINT NOT NULL,
            record BIGINT NOT NULL,
            anchor BIGINT NOT NULL,
            moment VARCHAR(16) NOT NULL,
            identity VARCHAR(64) NOT NULL,
            files VARCHAR(64) NOT NULL,
            sources INTEGER NOT NULL,
            at VARCHAR(32) NOT NULL,
            PRIMARY KEY (schema_name, number)
        );
        CREATE TABLE IF NOT EXISTS public.migsync_ran (
            number BIGINT GENERATED BY DEFAULT AS IDENTITY,
            schema_name VARCHAR(64) NOT NULL,
            record BIGINT NOT NULL,
            app VARCHAR(255) NOT NULL,
            name VARCHAR(255) NOT NULL,
            moment VARCHAR(16) NOT NULL,
            event VARCHAR(16) NOT NULL,
            source VARCHAR(64) NOT NULL,
            content VARCHAR(64) NOT NULL,
            at VARCHAR(32) NOT NULL,
            PRIMARY KEY (number),
            CONSTRAINT migsync_ran_schema UNIQUE (schema_name, number)
        );
        CREATE TABLE IF NOT EXISTS public.migsync_version (
            version_num VARCHAR(32) NOT NULL,
            CONSTRAINT migsync_version_pkc PRIMARY KEY (version_num)
        );
        INSERT INTO public.migsync_version (version_num) SELECT '0003' WHERE NOT EXISTS (SELECT 1 FROM public.migsync_version);
    END IF;

    -- Write nothing unless every row is as planned and no other row has a new name.
    SELECT count(*),
           count(*) FILTER (WHERE ROW(m.app, m.name, m.applied::text) IS NOT DISTINCT FROM ROW(c.app, c.name, c.applied)),
           count(*) FILTER (WHERE ROW(m.app, m.name, m.applied::text) IS NOT DISTINCT FROM ROW(c.new_app, c.new_name, c.applied))
      INTO present, as_before, as_after
      FROM pg_temp.migsync_change AS c JOIN public.django_migrations AS m ON m.id = c.id;
    SELECT count(*), count(*) FILTER (WHERE c.id IS NULL AND m.applied::text IS NOT DISTINCT FROM c.applied)
      INTO bearers, inserted
      FROM pg_temp.migsync_change AS c JOIN public.django_migrations AS m ON m.app = c.new_app AND m.name = c.new_name;
    standing := (
        WITH RECURSIVE family (root, number, id) AS (
            SELECT id, number, id FROM public.migsync_run WHERE plan_id = '6e6667e141f2bbc34804336f0aab3417'
            UNION ALL
            SELECT f.root, f.number, r.id FROM public.migsync_run AS r JOIN family AS f ON r.undoes = f.id
        )
        SELECT root FROM family GROUP BY root, number HAVING count(*) % 2 = 1 ORDER BY number DESC LIMIT 1
    );
    IF NOT (present = 1 AND as_before = 1 AND bearers = 0) THEN
        IF present = 3 AND as_after = 3 AND standing IS NULL THEN
            DROP TABLE pg_temp.migsync_change, pg_temp.migsync_kept;
            PERFORM set_config('lock_timeout', settings[1], true), set_config('TimeZone', settings[2], true),
                    set_config('DateStyle', settings[3], true), set_config('client_min_messages', settings[4], true);
            RAISE INFO 'migsync: already undone';
            RETURN;
        END IF;
        RAISE EXCEPTION
            'migsync: stale, nothing changed: % of 3 rows not as planned; new names already taken: %',
            1 - as_before - named, greatest(bearers - 0, 0)
            USING HINT = 'Make a new plan: migsync plan', DETAIL = coalesce((
                SELECT string_agg(said, ' ') FROM (
                    (SELECT format('Row %s is not %s.%s, applied %s.', c.id, c.app, c.name, c.applied) AS said
                       FROM pg_temp.migsync_change AS c
                      WHERE c.id IS NOT NULL AND c.name IS NOT NULL
                        AND NOT EXISTS (SELECT 1 FROM public.django_migrations AS m WHERE m.id = c.id AND ROW(m.app, m.name, m.applied::text) IS NOT DISTINCT FROM ROW(c.app, c.name, c.applied))
                      ORDER BY c.n)
                    LIMIT 10) AS found), '');
    END IF;

    UPDATE public.django_migrations AS m SET app = c.new_app, name = c.new_name
      FROM pg_temp.migsync_change AS c WHERE m.id = c.id AND c.name IS NOT NULL AND c.new_name IS NOT NULL;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> 1 THEN
        RAISE EXCEPTION 'migsync: failed, nothing changed: % rows written, not 1', written;
    END IF;

    PERFORM setval(sequence, top)
       FROM (SELECT pg_get_serial_sequence('public.django_migrations', 'id')::regclass AS sequence,
                    greatest(max(id), 3) AS top FROM public.django_migrations) AS found
      WHERE sequence IS NOT NULL AND has_sequence_privilege(sequence, 'UPDATE')
        AND coalesce(pg_sequence_last_value(sequence), 0) < top;
    INSERT INTO public.django_migrations (id, app, name, applied)
    SELECT id, new_app, new_name, applied::timestamptz
      FROM pg_temp.migsync_change WHERE name IS NULL AND id IS NOT NULL ORDER BY n;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> 2 THEN
        RAISE EXCEPTION 'migsync: failed, nothing changed: % rows written, not 2', written;
    END IF;

    -- Check what was written.
    SELECT count(*),
           count(*) FILTER (WHERE ROW(m.app, m.name, m.applied::text) IS NOT DISTINCT FROM ROW(c.app, c.name, c.applied)),
           count(*) FILTER (WHERE ROW(m.app, m.name, m.applied::text) IS NOT DISTINCT FROM ROW(c.new_app, c.new_name, c.applied))
      INTO present, as_before, as_after
      FROM pg_temp.migsync_change AS c JOIN public.django_migrations AS m ON m.id = c.id;
    SELECT count(*), count(*) FILTER (WHERE c.id IS NULL AND m.applied::text IS NOT DISTINCT FROM c.applied)
      INTO bearers, inserted
      FROM pg_temp.migsync_change AS c JOIN public.django_migrations AS m ON m.app = c.new_app AND m.name = c.new_name;
    IF NOT (present = 3 AND as_after = 3) THEN
        RAISE EXCEPTION 'migsync: failed, nothing changed: rows differ from those written (a trigger?)';
    END IF;

    INSERT INTO public.migsync_run (
        number, id, kind, plan_id, at, author, version, reason, undoes, passed, returned, changes, digests)
    SELECT next, 'eb721c27813dc1750e9b7dd3' || lpad(to_hex(next), 8, '0'), 'undo',
           'eb721c27813dc1750e9b7dd34de9aa86',
           to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           left(session_user || '@' || coalesce(host(inet_client_addr()), 'local'), 255),
           '1.0.0rc1', '',
           standing,
           '[]',
           '[{"id":"bfd18de4af04d2730feb97af127eb32a17a4695b7e859e13aee5861947eeee8f","format":1,"parents":[],"command":"rewrite collapse","created":"2026-11-20T10:45:00Z","apps":{"shop":{"before":["0001_initial","0002_add_a","0003_add_b","0004_add_c"],"after":["0001_initial","0002_squashed_0004_add_c"],"removed":["0002_add_a","0003_add_b"],"renamed":[["0004_add_c","0002_squashed_0004_add_c"]],"collapsed":[]}}}]',
           '[{"kind":"insert","before":null,"after":{"id":3,"app":"shop","name":"0003_add_b","applied":"2025-03-03 09:30:00+00"},"cause":"undo of plan 6e6667e141f2"},{"kind":"insert","before":null,"after":{"id":2,"app":"shop","name":"0002_add_a","applied":"2025-03-02 09:30:00.123456+00"},"cause":"undo of plan 6e6667e141f2"},{"kind":"rename","before":{"id":4,"app":"shop","name":"0002_squashed_0004_add_c","applied":"2025-03-04 09:30:00.123456+00"},"after":{"id":4,"app":"shop","name":"0004_add_c","applied":"2025-03-04 09:30:00.123456+00"},"cause":"undo of plan 6e6667e141f2"}]',
           '{}'
      FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM public.migsync_run) AS counted;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> 1 THEN
        RAISE EXCEPTION 'migsync: failed, nothing changed: % rows written, not 1', written;
    END IF;

    DROP TABLE pg_temp.migsync_change, pg_temp.migsync_kept;
    PERFORM set_config('lock_timeout', settings[1], true), set_config('TimeZone', settings[2], true),
            set_config('DateStyle', settings[3], true), set_config('client_min_messages', settings[4], true);
    IF caller_commits THEN
        RAISE INFO 'migsync: 3 rows changed in your transaction, not undone before you COMMIT';
    ELSE
        RAISE INFO 'migsync: undone, 3 rows';
    END IF;
END
$migsync$;
