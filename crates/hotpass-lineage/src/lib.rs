//! OpenLineage events of runs: typed facets, transports, and a spool that loses nothing.
