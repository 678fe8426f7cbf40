# The kubelet changes the mounted files when a tenant comes or goes, or a password; the server reads them on request only.
set -eu
known=""
while true; do
  now="$(sha256sum /etc/valkey-acl/users.acl | cut -d' ' -f1)"
  if [ "$now" != "$known" ]; then
    # Until the new list is loaded the server knows the password that it was started with, or the last one loaded.
    for password in "$(cat /etc/valkey-acl/operator-password)" "${last:-}"; do
      if REDISCLI_AUTH="$password" valkey-cli -e --tls --cacert /etc/valkey-tls/ca.crt -h localhost --user operator acl load; then
        known="$now"
        break
      fi
    done
  fi
  last="${last:-$(cat /etc/valkey-acl/operator-password)}"
  [ "$now" = "$known" ] && last="$(cat /etc/valkey-acl/operator-password)"
  sleep 15
done
