"""A first look at a dataset or cohort: one page of HTML that can be sent around."""
