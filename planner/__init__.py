"""An event planner over HTTP: accounts, tokens and events on MongoDB.

The rooms of the house, and which way imports go (always down):

    planner.__main__, planner.cli   how it is started, and the operator's commands
    planner.serving/                starts the worker processes
    planner.app                     how it is assembled: create_app(settings)
    planner.startup                 what is done once, before any process serves
    routes/                         a path, a status, a header
    planner.background              queued and scheduled work
    planner.wiring                  the services, each made from those it uses
    planner.services/               the use cases: each puts reads, rules and writes in order
    auth/                           proves who is calling: passwords, tokens, authenticate
    models/                         Beanie documents, their queries and conditional writes, the schemas
    database/                       connection, transactions, the embedded server, migrations
    planner.domain/                 pure rules on values: times, cursors, patches
    planner.telemetry/, planner.draining    metrics and traces; what the planner does before it stops
    planner.load/                   what is done while more is asked than can be answered
    planner.settings, planner.oidc_settings, planner.load_settings, planner.errors, planner.clock, planner.randomness,
    planner.version, planner.logs, planner.memory/    what needs none of the rest
"""
