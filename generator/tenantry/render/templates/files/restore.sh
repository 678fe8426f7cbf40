# First of a drill: the newest base backup and all WAL after it, recovered into the Pod's own volume with the programs that
# the operator's plugin calls. The server has no network, archives nothing, and ends with the Pod.
set -euo pipefail
umask 077
fail() { echo "restore drill failed: $1" >&2; exit 1; }
run="$RUN_FOLDER" data="$RESTORED_FOLDER/data" conf="$RESTORED_FOLDER/drill.conf"
export PGHOST="$run" PGUSER=postgres PGDATABASE=postgres
date +%s > "$run/began"

archive() { program="barman-cloud-$1"; shift; "$program" --cloud-provider aws-s3 --endpoint-url "$ARCHIVE_ENDPOINT" "$@"; }
newest='import json, sys
done = [b["backup_id"] for b in json.load(sys.stdin)["backups_list"] if b["status"] == "DONE"]
print(max(done, default=""))'
backup="$(archive backup-list --format json "s3://$ARCHIVE_PLACE" "$ARCHIVE_SERVER" | python3 -c "$newest")"
[ -n "$backup" ] || fail "the archive $ARCHIVE_PLACE/$ARCHIVE_SERVER holds no base backup"
echo "$backup" > "$run/backup"
echo "restoring base backup $backup of $ARCHIVE_PLACE/$ARCHIVE_SERVER"
rm -rf "$data"
mkdir -m 700 "$data"
archive restore "s3://$ARCHIVE_PLACE" "$ARCHIVE_SERVER" "$backup" "$data"
[ "$(cat "$data/PG_VERSION")" = "$(postgres --version | sed -E 's/.* ([0-9]+).*/\1/')" ] || fail "the base backup is of PostgreSQL $(cat "$data/PG_VERSION"), and the image has $(postgres --version)"

# Nothing of how the server ran counts here: its own files name sockets, certificates and a primary of another Pod.
rm -rf "$data/pg_wal" "$data/postmaster.pid" "$data/postmaster.opts" "$data/standby.signal"
mkdir -m 700 "$data/pg_wal"
: > "$data/postgresql.auto.conf"
: > "$data/recovery.signal"
echo 'local all all trust' > "$RESTORED_FOLDER/hba.conf"
: > "$RESTORED_FOLDER/ident.conf"
# 1 is "there is no such segment", so the end; all else is an error, after which nothing of what follows would be missed.
cat > "$conf" <<'CONF'
restore_command = 'barman-cloud-wal-restore --cloud-provider aws-s3 --endpoint-url "$ARCHIVE_ENDPOINT" "s3://$ARCHIVE_PLACE" "$ARCHIVE_SERVER" "%f" "%p" || { [ "$?" = 1 ] && exit 1; exit 255; }'
recovery_target_timeline = 'latest'
hot_standby = off
archive_mode = off
listen_addresses = ''
shared_buffers = '128MB'
log_destination = 'stderr'
logging_collector = off
ssl = off
CONF
cat >> "$conf" <<CONF
data_directory = '$data'
hba_file = '$RESTORED_FOLDER/hba.conf'
ident_file = '$RESTORED_FOLDER/ident.conf'
unix_socket_directories = '$run'
CONF
pg_ctl --pgdata="$data" --options="-c config_file=$conf" --log="$run/log" --wait --timeout=999999 start > "$run/started" ||
  { tail -n 30 "$run/log" >&2; fail "PostgreSQL did not recover"; }
# pg_ctl is content with a server that still replays; the Job's deadline ends what never does.
until pg_isready --quiet; do
  pg_ctl --pgdata="$data" status > "$run/started" || { tail -n 30 "$run/log" >&2; fail "PostgreSQL did not recover"; }
  sleep 1
done
cat "$run/log"
sed -n 's/.*last completed transaction was at log time //p' "$run/log" | tail -n 1 > "$run/last"
# Odoo looks there before it opens its own database; in production its pooler answers.
psql --no-psqlrc --quiet --command 'GRANT CONNECT ON DATABASE postgres TO PUBLIC'
pg_ctl --pgdata="$data" --mode=fast --wait --timeout=999999 stop > "$run/stopped"

# Whoever may read backups for practice must not be able to spoil them. After the restore, so that it is no network error.
export RCLONE_S3_PROVIDER=Other RCLONE_S3_ENV_AUTH=true RCLONE_S3_ENDPOINT="$ARCHIVE_ENDPOINT" RCLONE_S3_NO_CHECK_BUCKET=true
if rclone rcat --retries=1 --low-level-retries=1 ":s3:$ARCHIVE_PLACE/$ARCHIVE_SERVER/written-by-drill" <<< "a drill must not write here" 2> "$run/refused"; then
  fail "the key of drills may write to the archive"
fi
