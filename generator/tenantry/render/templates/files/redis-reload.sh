# The kubelet changes the mounted files when a tenant comes or goes, or a password or certificate is replaced; the server
# reads them on request only.
set -eu
# To the own Pod's loopback, where nobody stands between; with a new authority the server is not known by it until it reads it.
cli="valkey-cli -e --tls --insecure -h localhost --user operator"

reload() {
  # Until the new list is loaded the server knows the password that it was started with, or the last one loaded.
  REDISCLI_AUTH="$current" $cli acl load || REDISCLI_AUTH="$last" $cli acl load || return 1
  # A copy logs in with it when its connection to the primary was lost.
  printf %s "$(grep '^masterauth ' /etc/valkey-acl/replication.conf | cut -d' ' -f2)" |
    REDISCLI_AUTH="$current" $cli -x config set masterauth || return 1
  # Setting the same names again reads the files; all three, or none of them.
  REDISCLI_AUTH="$current" $cli config set tls-cert-file /etc/valkey-tls/tls.crt \
    tls-key-file /etc/valkey-tls/tls.key tls-ca-cert-file /etc/valkey-tls/ca.crt || return 1
}

known="" last="$(cat /etc/valkey-acl/operator-password)"
while true; do
  now="$(cat /etc/valkey-acl/users.acl /etc/valkey-acl/replication.conf /etc/valkey-tls/tls.crt /etc/valkey-tls/ca.crt | sha256sum)"
  current="$(cat /etc/valkey-acl/operator-password)"
  if [ "$now" != "$known" ] && reload; then
    known="$now" last="$current"
  fi
  sleep 15
done
