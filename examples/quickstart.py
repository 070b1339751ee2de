"""The first calls: who am I, create a user, list all.

`redcore-server run -- python examples/quickstart.py`
"""

from redcore import Client, DuplicateError


def main() -> None:
    with Client() as client:
        print("calling as", client.users.get_me().email)
        try:
            client.users.create(
                email="ada@example.com", name="Ada Lovelace", role="editor"
            )
        except DuplicateError as error:
            print(error.message)
        for user in client.users.list_all().iter_items():
            print(user.email, user.role, user.status)


if __name__ == "__main__":
    main()
