# Steps of a move: `copy` while the source serves, `compare` what was copied, `freeze` for the last copy, with nobody writing.
# `restore` takes a database out of a server that nobody uses, so its only copy is the last one.
# Nothing is written to the source, but at the end that it has moved. What the target has is replaced by each copy.
. "$(dirname "$0")/moving.sh"
step="$1"

at_source() { PGHOST="$SOURCE_HOST" PGSSLROOTCERT="$SOURCE_CA" "$@"; }
# Another database of the same tenant, where one is restored beside the one that it uses.
at_target() { PGHOST="$TARGET_HOST" PGSSLROOTCERT="$TARGET_CA" PGDATABASE="${TARGET_DATABASE:-$PGDATABASE}" PGUSER="${TARGET_DATABASE:-$PGUSER}" "$@"; }

copy() {
  empty_target
  begin_snapshot
  into_target at_source dump --snapshot="$snapshot"
  end_snapshot
  keep_expected
  [ -z "${ATTACHMENT_TARGET:-}" ] || store sync ":s3:$ATTACHMENT_SOURCE" ":s3:$ATTACHMENT_TARGET"
}

await at_source
await at_target
case "$step" in
  copy) copy ;;
  compare) compare ;;
  freeze)
    case "$(at_source state)" in done|moved) ;; *) fail "the source's own migration has not ended" ;; esac
    nobody_writes
    copy
    compare
    nobody_writes
    [ -z "${ATTACHMENT_TARGET:-}" ] || store check ":s3:$ATTACHMENT_SOURCE" ":s3:$ATTACHMENT_TARGET"
    accept_copy
    at_source mark moved
    at_target mark done
    ;;
  restore)
    case "$(at_source state)" in done|moved) ;; *) fail "at that moment a migration was running: choose another" ;; esac
    copy
    compare
    at_target sql --command 'SET client_min_messages = error; DROP SCHEMA tenantry_move CASCADE'
    at_target mark done
    ;;
  *) fail "there is no step '$step'" ;;
esac
done_in "$step"
