"""Preparing a dataset: everything that the pages show, made by one resumable job."""
