# What both kinds of moves do: from one server to another (move.sh), and through the object store (transfer.sh). They say what
# `at_source` and `at_target` are.
set -euo pipefail
export PGAPPNAME=tenantry-move
# Rows are compared as text, so both servers must write values alike; and a long copy is no idle transaction.
export PGOPTIONS="-c datestyle=ISO -c timezone=UTC -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1 -c idle_in_transaction_session_timeout=0"
work="$(mktemp -d)"

sql() { psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"; }
fail() { echo "move failed: $1" >&2; exit 1; }
# A new Pod's first connections may be refused: nodes learn of it a moment later than it starts, and policies are theirs.
await() {
  local end="$((SECONDS + 120))"
  until "$@" pg_isready --quiet; do
    [ "$SECONDS" -lt "$end" ] || fail "${1#at_}: the server does not answer"
    sleep 1
  done
}

# One line for each table and sequence: rows, and a sum over them that no order changes.
cat > "$work/contents.sql" <<'SQL'
SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM %I.%I t',
    'table ' || n.nspname || '.' || c.relname, n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.oid IS DISTINCT FROM to_regclass('public.tenantry_release') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'tenantry_move') AND n.nspname NOT LIKE 'pg\_t%'
  ORDER BY n.nspname, c.relname
\gexec
SELECT format('SELECT %L, last_value, is_called FROM %I.%I', 'sequence ' || n.nspname || '.' || c.relname, n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'tenantry_move') AND n.nspname NOT LIKE 'pg\_t%'
  ORDER BY n.nspname, c.relname
\gexec
SQL

# Of a moment of the source, so that it is whole while Odoo writes. Extensions are the operator's, their comments too.
dump() {
  pg_dump --no-owner --no-privileges --exclude-schema=tenantry_move --section=pre-data "$@" | grep -v '^COMMENT ON EXTENSION ' &&
    { [ "${rows:-yes}" = no ] || pg_dump --no-owner --no-privileges --exclude-schema=tenantry_move --section=data "$@"; } &&
    pg_dump --no-owner --no-privileges --exclude-schema=tenantry_move --section=post-data "$@"
}
# Without what tells of the server, and of the run (\restrict, since the minor releases of August 2025). PostgreSQL writes a list
# that it cast, "x IN ('a', 'b')", in another way once it has read what it wrote: casts and brackets of such lines don't count.
structure() {
  rows=no dump "$@" | grep -v -e '^--' -e '^\\restrict' -e '^\\unrestrict' -e '^SET ' -e '^SELECT pg_catalog.set_config' -e '^$' |
    sed -E '/ARRAY\[/s/::(character varying|text)(\[\])?|[()]//g'
}

# Odoo's migration and the gate of its Pods go by this: neither a copy that was not compared, nor what was moved away from.
state() { sql --command 'SELECT state FROM tenantry_release'; }
mark() { sql --command "UPDATE tenantry_release SET state = '$1'"; }

nobody_writes() {
  local others="SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND application_name <> 'tenantry-move'"
  for _ in $(seq "${MOVE_TRIES:-60}"); do
    [ "$(at_source sql --command "$others")" != 0 ] || return 0
    echo "waiting: Odoo is still connected to the source"
    sleep "${MOVE_SECONDS:-10}"
  done
  fail "Odoo is still connected to the source"
}

# What the source is at one moment, for as long as the snapshot is held.
begin_snapshot() {
  coproc SOURCE { at_source sql; }
  echo 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot();' >&"${SOURCE[1]}"
  read -r snapshot <&"${SOURCE[0]}" || fail "the source gives no snapshot"
  at_source structure --snapshot="$snapshot" > "$work/structure"
  printf '%s\n' "\\o $work/contents" "\\i $work/contents.sql" '\o' 'SELECT 1;' >&"${SOURCE[1]}"
  read -r _ <&"${SOURCE[0]}" || fail "the source's rows can't be read"
}
end_snapshot() { echo 'COMMIT;' >&"${SOURCE[1]}"; }

# All of what a command writes, or nothing: where it is cut off, the end of the transaction is missing.
into_target() { { echo 'BEGIN;' && "$@" && echo 'COMMIT;'; } | at_target sql --output=/dev/null; }
empty_target() { at_target sql --command 'DROP OWNED BY CURRENT_USER CASCADE' --command 'CREATE SCHEMA tenantry_move'; }
# What the source was stays with the copy, until it was compared for the last time.
keep_expected() {
  at_target sql <<SQL
\set structure \`cat $work/structure\`
\set contents \`cat $work/contents\`
CREATE TABLE tenantry_move.expected AS SELECT :'structure' AS structure, :'contents' AS contents;
UPDATE tenantry_release SET state = 'copied';
SET client_min_messages = error;
ANALYZE;
SQL
}
accept_copy() { at_target sql --command 'SET client_min_messages = error; DROP SCHEMA tenantry_move CASCADE'; }

# With what the source was when it was copied; it has gone on since, unless it is frozen.
compare() {
  [ "$(at_target sql --command "SELECT to_regclass('tenantry_move.expected') IS NOT NULL")" = t ] || fail "the target holds no whole copy"
  at_target sql --command 'SELECT structure FROM tenantry_move.expected' > "$work/structure"
  at_target sql --command 'SELECT contents FROM tenantry_move.expected' > "$work/contents"
  at_target structure | diff "$work/structure" - || fail "tables, indexes or functions differ (< source, > target)"
  at_target sql --file="$work/contents.sql" | diff "$work/contents" - || fail "rows differ (< source, > target)"
  echo "$(grep -c '^table ' "$work/contents") tables and $(grep -c '^sequence ' "$work/contents" || true) sequences are alike"
  [ -z "${ATTACHMENT_TARGET:-}" ] || attachments
}

# A missing object reads as an empty file, without an error: each that the database names must be there.
attachments() {
  at_target sql --command "SELECT DISTINCT substr(store_fname, 15) FROM ir_attachment WHERE store_fname LIKE 'attachments://%'" | LC_ALL=C sort > "$work/named"
  store lsf --recursive --files-only ":s3:$ATTACHMENT_TARGET" | LC_ALL=C sort > "$work/there"
  LC_ALL=C comm -23 "$work/named" "$work/there" > "$work/missing"
  [ ! -s "$work/missing" ] || { head -n 20 "$work/missing"; fail "$(wc -l < "$work/missing") attachments are missing at the target"; }
  echo "$(wc -l < "$work/named") attachments are there"
}

store() { RCLONE_S3_PROVIDER=Other RCLONE_S3_ENV_AUTH=true RCLONE_S3_ENDPOINT="$ATTACHMENT_ENDPOINT" RCLONE_S3_NO_CHECK_BUCKET=true rclone "$@"; }

began="$(date +%s)"
done_in() { echo "$1 done in $((($(date +%s) - began + 59) / 60)) min"; }
