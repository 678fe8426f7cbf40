# PgBouncer reads its users when it starts and on a signal, and authorities for each connection; the kubelet only changes the files.
set -eu
users=/etc/pgbouncer-users/userlist.txt
known="$(< "$users")"
server=""
# `wait` returns at once on a signal, and the trap passes it on: clients may end what they began. Between its start and the
# next line PgBouncer is known by $! alone.
trap 'started="${server:-${!:-}}"; if [ -n "$started" ]; then kill -TERM "$started"; else exit 143; fi' TERM INT
pgbouncer "$1" &
server=$!
while kill -0 "$server" 2> /dev/null; do
  sleep 2 &
  wait "$!" || true
  now="$(< "$users")" || continue
  if [ "$now" != "$known" ]; then
    kill -HUP "$server" && known="$now"
  fi
done
wait "$server"
