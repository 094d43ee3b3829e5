"""Public data by accession or address, into a cohort's ``raw`` folder.

The only part of the package that uses the network, and only when asked to. `run.fetch_source`
brings the files and writes ``fetch.json``; `record.expression_path` tells later steps which of
them to read. One module per site; what they share stands in `collector`, `download` and `client`.
"""
