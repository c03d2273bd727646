"""Ids that follow from names."""

from uuid import NAMESPACE_OID, uuid5

from civitai_mock.domain.named_ids import named_uuid


def test_an_id_is_the_uuid_of_version_5_of_its_name() -> None:
    for name in ("", "1000001-20250906181816167/0/0/0", "über", *map(str, range(200))):
        assert named_uuid(name) == str(uuid5(NAMESPACE_OID, name)), name
