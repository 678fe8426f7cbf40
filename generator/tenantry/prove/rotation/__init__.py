"""Who uses which Secret, and how each follows when its content is replaced; the proof that everybody does.

The objects of a cluster come in; uses go out, for the proof of IAM-10 and for `tenantry secrets --rotation`.
"""
