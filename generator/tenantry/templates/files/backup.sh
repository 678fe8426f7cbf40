set -euo pipefail
export RCLONE_S3_PROVIDER=Other RCLONE_S3_ENV_AUTH=true RCLONE_S3_ENDPOINT="$BACKUP_ENDPOINT"
echo "dumping $PGDATABASE to $BACKUP_TARGET"
pg_dump --format=custom --no-owner --no-privileges | rclone rcat ":s3:$BACKUP_TARGET"
rclone lsf ":s3:$BACKUP_TARGET" | grep --quiet .
echo "done"
