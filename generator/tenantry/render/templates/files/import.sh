# Instead of a dump of a database that holds nothing yet: what another system has left is brought in. Over one that holds
# anything, nothing is written; and all of it comes, or nothing does.
stop() { echo "import failed: $1" >&2; exit 1; }
ask() { psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"; }

# Its own tables: those of extensions and of the server are others'.
tables="SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%' AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
if [ "$(ask --command "$tables")" = 0 ]; then
  echo "bringing in $IMPORT_FOLDER"
  sum="$(rclone cat ":s3:$IMPORT_FOLDER/dump.sql.gz" | sha256sum | cut -d ' ' -f 1)"
  [ "$sum" = "$IMPORT_SHA256" ] || stop "dump.sql.gz has the sum $sum, and the tenant's file says $IMPORT_SHA256"
  [ -n "$(rclone lsf --max-depth 1 ":s3:$IMPORT_FOLDER/filestore")" ] || stop "there is no filestore beside the dump"
  # Attachments before the database that names them. Nothing that is there already is removed.
  export RCLONE_CONFIG_TO_TYPE=s3 RCLONE_CONFIG_TO_PROVIDER=Other RCLONE_CONFIG_TO_ENV_AUTH=false RCLONE_CONFIG_TO_ENDPOINT="$BACKUP_ENDPOINT" RCLONE_CONFIG_TO_NO_CHECK_BUCKET=true
  rclone copy ":s3:$IMPORT_FOLDER/filestore" "to:$ATTACHMENT_TARGET"
  # The last line comes only when all others have; without it the server keeps nothing.
  {
    echo 'BEGIN;' &&
      { rclone cat ":s3:$IMPORT_FOLDER/dump.sql.gz" | gunzip | grep -v '^COMMENT ON EXTENSION '; } &&
      echo "UPDATE public.ir_attachment SET store_fname = 'attachments://' || store_fname WHERE store_fname NOT LIKE '%://%'; COMMIT;"
  } | ask --output=/dev/null
  ask --command 'ANALYZE'
  echo "done"
  exit 0
fi
echo "the database holds data: nothing is brought in"
