"""Talk to a service, and believe none: certificates are checked here, with keys that this person trusts (docs/client.md).

``Client`` asks a service over HTTP; ``Pack`` needs no network. Neither needs the service's own parts to be installed.
"""

from certifier.certificate.trust import Trust
from certifier.certificate.verification import AudioDigests, Verification
from certifier.client.changes import Change, Changes
from certifier.client.client import Client, ServiceVerdict, Submission
from certifier.client.errors import NotAllowed, NotFound, RateLimited, Refused, Unavailable
from certifier.client.many import Result
from certifier.client.pack import Pack
from certifier.client.transport import LIMITS, Patience

__all__ = [
    "LIMITS",
    "AudioDigests",
    "Change",
    "Changes",
    "Client",
    "NotAllowed",
    "NotFound",
    "Pack",
    "Patience",
    "RateLimited",
    "Refused",
    "Result",
    "ServiceVerdict",
    "Submission",
    "Trust",
    "Unavailable",
    "Verification",
]
