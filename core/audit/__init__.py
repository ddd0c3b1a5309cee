"""Label audits: plans, who reviews what, estimates with intervals, corrections."""
