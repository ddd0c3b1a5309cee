"""What people answered, in a database: an append-only log that the audits and the judged pairs share."""
