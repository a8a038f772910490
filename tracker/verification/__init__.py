"""Whether a published log is what it says: checked offline from its static files, with no store and no server.

    doubts              what is found wrong, and at which position
    recorded_events     whether an entry is an event as the tracker writes it
    quick_reading       a quick look that is sure of most entries, and leaves the others to it
    pledge_versions     whether the versions of every pledge run without a gap
    authentic_tiles     tiles that are seen to lead to the signed root before anything is read out of them
    log_verification    the walk over all entries
    replayed_log        the statuses that the very same bytes add up to

Nothing here imports a database, a server or the read models; import-linter holds that.
"""
