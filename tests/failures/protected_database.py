"""A replica set of one member that asks for a password."""

from pathlib import Path

from tests.support.mongod import Standalone, initiate_replica_set, make_key_file

# The users that a test may create, each with the rights that operating.md gives to the planner.
PASSWORDS = {"first": "the first one", "second": "the second one"}


class ProtectedDatabase:
    """It, and an operator who creates and drops its users."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._mongod = Standalone(folder / "mongo", "--replSet", "rs", *make_key_file(folder))
        self._mongod.start()
        with self._mongod.connect() as client:
            initiate_replica_set(client, "rs", self._mongod.port)
        self._mongod.create_operator()
        self._operator = self._mongod.connect_as_operator()

    def create_user(self, name: str) -> None:
        self._operator.admin.command(
            "createUser", name, pwd=PASSWORDS[name], roles=[{"role": "readWrite", "db": "planner"}]
        )

    def drop_user(self, name: str) -> None:
        self._operator.admin.command("dropUser", name)

    def url_for(self, name: str) -> str:
        password = PASSWORDS[name].replace(" ", "%20")
        return f"mongodb://{name}:{password}@127.0.0.1:{self._mongod.port}/planner?authSource=admin&replicaSet=rs"

    def stop(self) -> None:
        self._operator.close()
        self._mongod.stop()
