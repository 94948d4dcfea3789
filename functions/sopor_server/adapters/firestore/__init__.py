"""The metadata port on Firestore.

    accounts/{account}                    record, credentials, n, login, orgs, issuer, subject
    subjects/{subject}                    account
    logins/{SHA-256 of the login name}    account, login
    devices/{device}                      account, live (the account, while not revoked), ...
    challenges/{challenge}                expires (time to live), answer
    organizations/{org}                   seq, hash, members, projects, state, sizes
    organizations/{org}/membership_entries/{seq}
    projects/{project}                    org, seq, hash, bytes, branches, to_erase, deleted, ...
    projects/{project}/live/presence      expires (time to live), a field of each device
    projects/{project}/pack_groups/{seq}  first, time, packs, sizes
    projects/{project}/push_entries/{seq} entry, commits, packs
    projects/{project}/branch_pages/{seq}-{n}
    .../entry_parts/{seq}-{n}             the rest of an entry that one document cannot hold

Ids are hexadecimal, so that Firestore refuses none; a ``seq`` has 16 digits, so that entries sort.
Queries ask for one field or document names, which needs no composite index.
"""

from sopor_server.adapters.firestore.store import FirestoreMetadataStore

__all__ = ["FirestoreMetadataStore"]
