set -euo pipefail
export RCLONE_S3_PROVIDER=Other RCLONE_S3_ENV_AUTH=true RCLONE_S3_ENDPOINT="$BACKUP_ENDPOINT" RCLONE_S3_NO_CHECK_BUCKET=true
[ -z "${IMPORT_FOLDER:-}" ] || . "$(dirname "$0")/import.sh"
# A name of its own for each run: a retry after a failed migration must not replace the good copy.
target="$BACKUP_TARGET-$(date -u +%Y%m%dT%H%M%SZ).dump"
echo "dumping $PGDATABASE to $target"
pg_dump --format=custom --no-owner --no-privileges | rclone rcat ":s3:$target.partial"
# To its end: the table of contents at the front says nothing of what was cut off.
rclone cat ":s3:$target.partial" | pg_restore --file=/dev/null
rclone moveto ":s3:$target.partial" ":s3:$target"
echo "done"
