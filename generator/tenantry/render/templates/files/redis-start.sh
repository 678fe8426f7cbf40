set -eu
if [ "${HOSTNAME##*-}" = 0 ]; then
  exec valkey-server /etc/valkey/valkey.conf
fi
namespace="$(hostname -d | cut -d. -f2)"
exec valkey-server /etc/valkey/valkey.conf --replicaof "redis-0.redis-nodes.$namespace.svc" 6379
