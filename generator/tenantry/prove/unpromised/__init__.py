"""What a tree's objects show of the controls where nobody promised anything: proofs on objects alone.

An index of objects comes in, evidence comes out. Whatever rests on tenants, tiers or the platform is listed with what is
missing, never assumed.
"""
