# Last of a drill: each database that must come back is there and is whole, and a sample of its attachments, too. What is
# written at the end is the record: in the log, and in the Pod's status for as long as the Job is kept.
set -euo pipefail
fail() { echo "restore drill failed: $1" >&2; exit 1; }
run="$RUN_FOLDER"
export PGHOST="$run" PGOPTIONS="-c default_transaction_read_only=on"
export RCLONE_S3_PROVIDER=Other RCLONE_S3_ENV_AUTH=true RCLONE_S3_ENDPOINT="$ARCHIVE_ENDPOINT" RCLONE_S3_NO_CHECK_BUCKET=true
sql() { psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --username="$database" --dbname="$database" --command "$1"; }

# A missing object reads as an empty file, without an error, so its size is compared. Not of the last day: it may be gone since.
attachments() {
  local named size path
  sql "SELECT file_size || ' ' || substr(store_fname, 15) FROM (SELECT DISTINCT store_fname, file_size FROM ir_attachment
    WHERE store_fname LIKE 'attachments://%' AND file_size > 0 AND create_date < now() - interval '1 day') a ORDER BY random() LIMIT ${DRILL_SAMPLE:-20}" > "$run/sample"
  while read -r size path; do
    named="$(rclone cat ":s3:$folder/$path" | wc -c)" || fail "$database: the attachment $path can't be read"
    [ "$named" = "$size" ] || fail "$database: the attachment $path has $named bytes instead of $size"
  done < "$run/sample"
}

found=()
for entry in $DRILL_DATABASES; do
  database="${entry%%=*}" folder="${entry#*=}"
  # A leaving tenant's role may not log in where it serves; this copy serves nobody. The database itself is asked as that role,
  # since what a tenant's database runs when it is read may do no more than the tenant.
  PGOPTIONS="" psql --no-psqlrc --quiet --username=postgres --dbname=postgres --command "ALTER ROLE \"$database\" LOGIN" || fail "the role $database did not come back"
  sql "SELECT 1" > "$run/answer" || fail "the database $database did not come back"
  [ "$(sql "SELECT count(*) FROM (VALUES ('tenantry_release'), ('ir_module_module'), ('res_users'), ('ir_attachment')) t (name) WHERE to_regclass('public.' || name) IS NULL")" = 0 ] ||
    fail "$database holds no Odoo"
  state="$(sql "SELECT state FROM tenantry_release")"
  [ "$state" = done ] || fail "$database was in the middle of something: its last migration is '$state'"
  pending="$(sql "SELECT count(*) FROM ir_module_module WHERE state LIKE 'to %'")"
  [ "$pending" = 0 ] || fail "$database has $pending modules that are neither installed nor not"
  [ "$(sql "SELECT count(*) FROM res_users WHERE active AND coalesce(password, '') <> ''")" != 0 ] || fail "nobody could log in to $database"
  attachments
  found+=("$(sql "SELECT json_build_object('database', current_database(), 'release', (SELECT release FROM tenantry_release), 'users', (SELECT count(*) FROM res_users),
    'modules', (SELECT count(*) FROM ir_module_module WHERE state = 'installed'), 'attachments', (SELECT count(*) FROM ir_attachment), 'sampled', $(wc -l < "$run/sample"),
    'rows', (SELECT sum(greatest(reltuples, 0))::bigint FROM pg_class WHERE relkind = 'r'))")")
done
seconds="$(($(date +%s) - $(cat "$run/began")))"
printf '{"drill": "passed", "archive": "%s", "backup": "%s", "last_change": "%s", "seconds": %s, "promised_seconds": %s, "databases": [%s]}\n' \
  "$ARCHIVE_PLACE/$ARCHIVE_SERVER" "$(cat "$run/backup")" "$(cat "$run/last")" "$seconds" "$DRILL_SECONDS" "$(IFS=,; echo "${found[*]}")" | tee "${DRILL_RECORD:-/dev/termination-log}"
