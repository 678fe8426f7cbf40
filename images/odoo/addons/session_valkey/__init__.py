"""Sessions in Valkey, for Odoo 19: one hash for each device, under the instance's own prefix.

A session id has 84 characters. Its first half names the device and stays through soft rotations; Odoo revokes a device by
that half. So it is the key, and the second halves are fields of its hash: revoking is one DEL, asking is EXISTS. Neither
SCAN nor KEYS is needed, which ignore the permissions on keys. The server expires what is not used.

ODOO_SESSION_REDIS_URL and ODOO_SESSION_REDIS_PREFIX say where; without them the module does not load.
"""

import json
import os
import time

import redis
from odoo import http
from odoo.tools._vendor import sessions

HALF = http.STORED_SESSION_BYTES
ANONYMOUS_SECONDS = 3 * 3600
SECONDS = 3


class ValkeySessionStore(sessions.SessionStore):
    rotate = http.FilesystemSessionStore.rotate
    generate_key = http.FilesystemSessionStore.generate_key
    is_valid_key = http.FilesystemSessionStore.is_valid_key

    def __init__(self, client, prefix, session_class):
        super().__init__(session_class=session_class)
        self.client = client
        self.prefix = prefix

    def get(self, sid):
        """The session, or a new one of another id: an id that the server did not make is never taken over."""
        if self.is_valid_key(sid):
            stored = self.client.hget(self._key(sid), sid[HALF:])
            if stored:
                return self.session_class(json.loads(stored), sid, False)
        return self.new()

    def save(self, session):
        self._write(session, forget_others=False)

    def delete(self, session):
        self.client.hdel(self._key(session.sid), session.sid[HALF:])

    def delete_old_sessions(self, session):
        """After a soft rotation both ids hold for a while, since requests may be on their way; then the new one alone."""
        if "gc_previous_sessions" in session and session["create_time"] + http.SESSION_DELETION_TIMER < time.time():
            del session["gc_previous_sessions"]
            self._write(session, forget_others=True)

    def delete_from_identifiers(self, identifiers):
        keys = [self._key_of_device(identifier) for identifier in identifiers]
        if keys:
            self.client.delete(*keys)

    def get_missing_session_identifiers(self, identifiers):
        identifiers = list(set(identifiers))
        with self.client.pipeline(transaction=False) as pipe:
            for identifier in identifiers:
                pipe.exists(self._key_of_device(identifier))
            return {name for name, there in zip(identifiers, pipe.execute(), strict=True) if not there}

    def vacuum(self, max_lifetime=http.SESSION_LIFETIME):
        """Nothing to do: keys expire."""

    def _write(self, session, *, forget_others):
        key = self._key(session.sid)
        with self.client.pipeline(transaction=True) as pipe:
            if forget_others:
                pipe.delete(key)
            pipe.hset(key, session.sid[HALF:], json.dumps(dict(session)))
            pipe.expire(key, http.SESSION_LIFETIME if session.uid else ANONYMOUS_SECONDS)
            pipe.execute()

    def _key(self, sid):
        return f"session::{self.prefix}:{sid[:HALF]}"

    def _key_of_device(self, identifier):
        # Odoo's own store refuses the same: a user may write the records that identifiers come from.
        if not http._session_identifier_re.match(identifier):
            raise ValueError("Identifier format incorrect, did you pass in a string instead of a list?")
        return self._key(identifier)


def made(url, prefix):
    client = redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, health_check_interval=30)
    return ValkeySessionStore(client, prefix, http.Session)


# On the one application that there is, over its cached property.
http.root.session_store = made(os.environ["ODOO_SESSION_REDIS_URL"], os.environ["ODOO_SESSION_REDIS_PREFIX"])
