# The kubelet changes the mounted file when a tenant comes or goes; the server reads it again on request only.
set -eu
known=""
while true; do
  now="$(sha256sum /etc/valkey-acl/users.acl | cut -d' ' -f1)"
  if [ "$now" != "$known" ]; then
    valkey-cli --tls --cacert /etc/valkey-tls/ca.crt -h localhost --user operator acl load && known="$now"
  fi
  sleep 15
done
