-- migsync 0.1.0: take back plan c5b387fd6323edf72015a3407b916c94
--
-- 2 renames, 1 insert in django_migrations.
-- Every row that stays keeps its id and its applied timestamp.
--
-- Database    default (postgresql, schema public)
-- Identity    the identity that the server gave
-- Run         psql -X -v ON_ERROR_STOP=1 -d DATABASE -f default.undo.sql
-- Take back   psql -X -v ON_ERROR_STOP=1 -d DATABASE -f default.apply.sql
--
-- All of it is done or nothing is, whatever the client does after an error. It may be run again.
-- At the end it says "migsync: undone, 3 rows", "migsync: already undone",
-- or "migsync: stale, nothing changed" where the rows are not those of the plan.
--
-- Goes back from:
--   20261120T104500_shift.toml
--
-- undo of plan c5b387fd6323:
--   row 5 comes back: shop.0004_merge, applied 2025-03-05 09:30:00.123456+00
--   row 4: shop.0004_alter_x -> shop.0003_alter_x
--   row 3: shop.0003_alter_x -> shop.0002_alter_x

DO $migsync$
DECLARE
    present bigint;    -- rows under the ids of the plan
    as_before bigint;  -- those that are as the plan found them
    as_after bigint;   -- those that are as the plan leaves them
    bearers bigint;    -- rows that bear a new name
    inserted bigint;   -- those that are a new row of the plan
    named bigint := 0; -- rows that the plan removes by name, for want of an id
    standing text;     -- the plan's last run that is in force
    written bigint;    -- rows of the last statement
BEGIN
    SET LOCAL lock_timeout = '10s';
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL DateStyle = 'ISO, YMD';
    SET LOCAL client_min_messages = 'warning';
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'migsync: nothing changed: this must run at READ COMMITTED'
            USING HINT = 'Run before: SET default_transaction_isolation = ''read committed'';';
    END IF;

    -- No name: a new row. No new name: the row goes.
    CREATE TEMPORARY TABLE migsync_change (
        n bigint, id bigint, applied text, app text, name text, new_app text, new_name text
    ) ON COMMIT DROP;
    INSERT INTO pg_temp.migsync_change VALUES
        (1, 5, '2025-03-05 09:30:00.123456+00', NULL, NULL, 'shop', '0004_merge'),
        (2, 4, '2025-03-04 09:30:00.123456+00', 'shop', '0004_alter_x', 'shop', '0003_alter_x'),
        (3, 3, '2025-03-03 09:30:00+00', 'shop', '0003_alter_x', 'shop', '0002_alter_x');

    -- Readers go on; writers wait, and so does a migrate that knows of migsync.
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
        CREATE TABLE IF NOT EXISTS public.migsync_version (
            version_num VARCHAR(32) NOT NULL,
            CONSTRAINT migsync_version_pkc PRIMARY KEY (version_num)
        );
        INSERT INTO public.migsync_version (version_num) SELECT '0001' WHERE NOT EXISTS (SELECT 1 FROM public.migsync_version);
    END IF;

    -- The gate: nothing is written unless every row is as planned and nobody else bears a new name.
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
            SELECT id, number, id FROM public.migsync_run WHERE plan_id = 'c5b387fd6323edf72015a3407b916c94'
            UNION ALL
            SELECT f.root, f.number, r.id FROM public.migsync_run AS r JOIN family AS f ON r.undoes = f.id
        )
        SELECT root FROM family GROUP BY root, number HAVING count(*) % 2 = 1 ORDER BY number DESC LIMIT 1
    );
    IF NOT (present = 2 AND as_before = 2 AND bearers = 1) THEN
        IF present = 3 AND as_after = 3 AND standing IS NULL THEN
            DROP TABLE pg_temp.migsync_change;
            RAISE INFO 'migsync: already undone';
            RETURN;
        END IF;
        RAISE EXCEPTION 'migsync: stale, nothing changed: % of 3 rows not as planned; others with a new name: %',
            2 - as_before - named, greatest(bearers - 1, 0)
            USING HINT = 'Make the plan again with: migsync plan', DETAIL = coalesce((
                SELECT string_agg(format('Row %s is not %s.%s, applied %s.', c.id, c.app, c.name, c.applied), ' ')
                  FROM (SELECT * FROM pg_temp.migsync_change AS c
                         WHERE c.id IS NOT NULL AND c.name IS NOT NULL AND NOT EXISTS (
                               SELECT 1 FROM public.django_migrations AS m
                                WHERE m.id = c.id AND ROW(m.app, m.name, m.applied::text) IS NOT DISTINCT FROM ROW(c.app, c.name, c.applied))
                         ORDER BY c.n LIMIT 10) AS c), '');
    END IF;

    UPDATE public.django_migrations AS m SET app = c.new_app, name = c.new_name
      FROM pg_temp.migsync_change AS c WHERE m.id = c.id AND c.name IS NOT NULL AND c.new_name IS NOT NULL;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> 2 THEN
        RAISE EXCEPTION 'migsync: failed, nothing changed: % rows written, not 2', written;
    END IF;

    PERFORM setval(sequence, top)
       FROM (SELECT pg_get_serial_sequence('public.django_migrations', 'id')::regclass AS sequence,
                    greatest(max(id), 5) AS top FROM public.django_migrations) AS found
      WHERE sequence IS NOT NULL AND has_sequence_privilege(sequence, 'UPDATE')
        AND coalesce(pg_sequence_last_value(sequence), 0) < top;
    INSERT INTO public.django_migrations (id, app, name, applied)
    SELECT id, new_app, new_name, applied::timestamptz
      FROM pg_temp.migsync_change WHERE name IS NULL AND id IS NOT NULL ORDER BY n;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> 1 THEN
        RAISE EXCEPTION 'migsync: failed, nothing changed: % rows written, not 1', written;
    END IF;

    -- Read back.
    SELECT count(*),
           count(*) FILTER (WHERE ROW(m.app, m.name, m.applied::text) IS NOT DISTINCT FROM ROW(c.app, c.name, c.applied)),
           count(*) FILTER (WHERE ROW(m.app, m.name, m.applied::text) IS NOT DISTINCT FROM ROW(c.new_app, c.new_name, c.applied))
      INTO present, as_before, as_after
      FROM pg_temp.migsync_change AS c JOIN public.django_migrations AS m ON m.id = c.id;
    SELECT count(*), count(*) FILTER (WHERE c.id IS NULL AND m.applied::text IS NOT DISTINCT FROM c.applied)
      INTO bearers, inserted
      FROM pg_temp.migsync_change AS c JOIN public.django_migrations AS m ON m.app = c.new_app AND m.name = c.new_name;
    IF NOT (present = 3 AND as_after = 3) THEN
        RAISE EXCEPTION 'migsync: failed, nothing changed: rows are not what was written (a trigger?)';
    END IF;

    INSERT INTO public.migsync_run (
        number, id, kind, plan_id, at, author, version, reason, undoes, passed, returned, changes, digests)
    SELECT next, '65d2d28bdecaf1195a8706b1' || lpad(to_hex(next), 8, '0'), 'undo',
           '65d2d28bdecaf1195a8706b171deca00',
           to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           left(session_user || '@' || coalesce(host(inet_client_addr()), 'local'), 255),
           '0.1.0', '',
           standing,
           '[]',
           '[{"id":"b2012a14b56228f925c63e19a71e5d87df2cf04b24c21a83bdbb105c634af7a1","format":1,"parents":[],"command":"rewrite shift","created":"2026-11-20T10:45:00Z","apps":{"shop":{"before":["0001_initial","0002_aaa","0002_alter_x","0003_alter_x","0004_merge"],"after":["0001_initial","0002_aaa","0003_alter_x","0004_alter_x"],"removed":["0004_merge"],"renamed":[["0002_alter_x","0003_alter_x"],["0003_alter_x","0004_alter_x"]],"collapsed":[]}}}]',
           '[{"kind":"insert","before":null,"after":{"id":5,"app":"shop","name":"0004_merge","applied":"2025-03-05 09:30:00.123456+00"},"cause":"undo of plan c5b387fd6323"},{"kind":"rename","before":{"id":4,"app":"shop","name":"0004_alter_x","applied":"2025-03-04 09:30:00.123456+00"},"after":{"id":4,"app":"shop","name":"0003_alter_x","applied":"2025-03-04 09:30:00.123456+00"},"cause":"undo of plan c5b387fd6323"},{"kind":"rename","before":{"id":3,"app":"shop","name":"0003_alter_x","applied":"2025-03-03 09:30:00+00"},"after":{"id":3,"app":"shop","name":"0002_alter_x","applied":"2025-03-03 09:30:00+00"},"cause":"undo of plan c5b387fd6323"}]',
           '{}'
      FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM public.migsync_run) AS counted;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> 1 THEN
        RAISE EXCEPTION 'migsync: failed, nothing changed: % rows written, not 1', written;
    END IF;

    DROP TABLE pg_temp.migsync_change;
    RAISE INFO 'migsync: undone, 3 rows';
END
$migsync$;
