"""Values and rules: requests, answers, swarms, and the selection of peers. Pure: no I/O, no framework, no clock."""
