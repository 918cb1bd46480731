-- migsync 1.0.0rc1: create the journal, in which migsync notes every run.
-- Creates its tables beside django_migrations, unless they exist. It is safe to run it again.
-- To run     sqlite3 -bail -cmd '.timeout 10000' DATABASE < journal.sql

CREATE TABLE IF NOT EXISTS migsync_run (
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
CREATE TABLE IF NOT EXISTS migsync_content (
    digest VARCHAR(64) NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE TABLE IF NOT EXISTS migsync_content_seen (
    number INTEGER NOT NULL,
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
CREATE TABLE IF NOT EXISTS migsync_files (
    digest VARCHAR(64) NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE TABLE IF NOT EXISTS migsync_source (
    digest VARCHAR(64) NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE TABLE IF NOT EXISTS migsync_look (
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
CREATE TABLE IF NOT EXISTS migsync_ran (
    number INTEGER NOT NULL,
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
CREATE TABLE IF NOT EXISTS migsync_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT migsync_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO migsync_version (version_num) SELECT '0003' WHERE NOT EXISTS (SELECT 1 FROM migsync_version);
UPDATE migsync_version SET version_num = '0003' WHERE version_num IN ('0001', '0002');
