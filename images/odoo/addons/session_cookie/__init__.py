"""The session cookie travels over TLS only, and not with requests that other sites make.

Odoo 17 to 19 set it by FutureResponse.set_cookie, without `secure` and `samesite`. Lax, not Strict: a person who follows a
link in a mail is still logged in, and providers of single sign-on lead back by a link.
"""

from odoo import http

NAME = "session_id"


def guarded(set_cookie):
    def wrapped(self, key, *args, **kwargs):
        if key == NAME:
            kwargs.update(secure=True, samesite="Lax")
        return set_cookie(self, key, *args, **kwargs)

    return wrapped


http.FutureResponse.set_cookie = guarded(http.FutureResponse.set_cookie)
