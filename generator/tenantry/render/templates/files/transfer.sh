# A move to another cluster, between which there is no way: the source's Job dumps to a folder of the move in the source's
# backup bucket, the target's restores from there. `done` is written last, with the sums of all that belongs to it.
. "$(dirname "$0")/moving.sh"
does="$1" step="$2"

# One server each; the other is in another cluster.
at_source() { "$@"; }
at_target() { "$@"; }

export RCLONE_CONFIG_COPIES_TYPE=s3 RCLONE_CONFIG_COPIES_PROVIDER=Other RCLONE_CONFIG_COPIES_ENDPOINT="$COPIES_ENDPOINT" RCLONE_CONFIG_COPIES_NO_CHECK_BUCKET=true
# A stream has at most 10,000 parts: rclone's own size of one ends at 48 GiB.
export RCLONE_CONFIG_COPIES_CHUNK_SIZE=32Mi RCLONE_CONFIG_COPIES_UPLOAD_CONCURRENCY=2
export RCLONE_CONFIG_LEFT_TYPE=s3 RCLONE_CONFIG_LEFT_PROVIDER=Other RCLONE_CONFIG_LEFT_ENV_AUTH=true RCLONE_CONFIG_LEFT_ENDPOINT="$COPIES_ENDPOINT" RCLONE_CONFIG_LEFT_NO_CHECK_BUCKET=true
copies="copies:$COPIES_FOLDER/$step"
await at_source

sum() { sha256sum | cut -d ' ' -f 1; }

upload() {
  rclone delete "$copies" --include done 2> /dev/null || true  # of an earlier run; nothing may be restored meanwhile
  begin_snapshot
  mkfifo "$work/same"
  sum < "$work/same" > "$work/sum" &
  at_source dump --snapshot="$snapshot" | gzip --no-name | tee "$work/same" | rclone rcat "$copies/dump.sql.gz"
  wait "$!"
  end_snapshot
  for part in structure contents; do rclone copyto "$work/$part" "$copies/$part"; done
}
# What is restored is what was dumped, or nothing.
finish() {
  printf '%s dump.sql.gz\n%s structure\n%s contents\n' "$(cat "$work/sum")" "$(sum < "$work/structure")" "$(sum < "$work/contents")" > "$work/done"
  rclone copyto "$work/done" "$copies/done"
}

await() {
  for _ in $(seq "${MOVE_TRIES:-300}"); do
    rclone cat "$copies/done" > "$work/done" 2> /dev/null || true
    [ "$(wc -l < "$work/done")" != 3 ] || return 0
    echo "waiting: the source's Job has not ended"
    sleep "${MOVE_SECONDS:-10}"
  done
  fail "the source's Job has written no whole copy to $COPIES_FOLDER/$step"
}

dumped() { rclone cat "$copies/dump.sql.gz" | gunzip; }

restore() {
  await
  while read -r wanted part; do
    [ "$(rclone cat "$copies/$part" | sum)" = "$wanted" ] || fail "$part is not what the source's Job wrote; let both Jobs run again"
  done < "$work/done"
  for part in structure contents; do rclone copyto "$copies/$part" "$work/$part"; done
  empty_target
  into_target dumped
  keep_expected
  store sync "left:$ATTACHMENT_SOURCE" ":s3:$ATTACHMENT_TARGET"
}

case "$does $step" in
  "dump copy") upload; finish ;;
  "dump freeze")
    case "$(at_source state)" in done|moved) ;; *) fail "the source's own migration has not ended" ;; esac
    nobody_writes
    upload
    nobody_writes
    at_source mark moved
    finish
    ;;
  "restore copy") restore ;;
  "compare compare") compare ;;
  "restore freeze")
    restore
    compare
    store check "left:$ATTACHMENT_SOURCE" ":s3:$ATTACHMENT_TARGET"
    accept_copy
    at_target mark done
    ;;
  *) fail "nothing is to $does in the step '$step'" ;;
esac
done_in "$step"
