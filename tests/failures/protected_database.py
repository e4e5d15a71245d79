"""A replica set of one member that asks for a password."""

from pathlib import Path

from pymongo import MongoClient

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
            # As long as there is no user, this is allowed from the same machine.
            initiate_replica_set(client, "rs", self._mongod.port)
            client.admin.command("createUser", "operator", pwd="operator", roles=["root"])
        self._operator: MongoClient[dict[str, object]] = MongoClient(
            self._mongod.url, username="operator", password="operator", authSource="admin", directConnection=True
        )

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
