"""Everything that can go wrong, split by what to do next.

    PlatformError
    ├── FixConfiguration          a person changes something, then runs again        exit code 1
    │   ├── InvalidRequest        an event or a command line that cannot be served   exit code 2
    │   ├── InvalidSetting        a setting is missing or malformed
    │   ├── CredentialsRejected   Reddit does not accept the client id and secret
    │   ├── SubredditBlocked      private, banned, quarantined or not found
    │   ├── LakeNotUsable         the lake cannot be opened or written
    │   ├── ServiceRefused        a cloud service refuses: permission, name, limit
    │   ├── ArchiveNotUsable      a dump cannot be read, or is none
    │   └── DamagedState          a stored watermark or manifest that cannot be trusted
    │       └── ObjectMissing     an object that should stand in the lake does not
    ├── TryLater                  the same command may succeed later                 exit code 3
    │   ├── SourceUnavailable     the source answers badly or not at all
    │   ├── QuotaSpent            the source asks for a pause
    │   ├── ServiceUnavailable    a cloud service is throttling, failing or out of reach
    │   ├── LakeBusy              another process works on the same local lake
    │   ├── RunIncomplete         some of a run's work is not done; the others' is
    │   └── DeadlineReached       the time given to this run is over
    ├── SkipRecord                one record is unusable; the others are not         no exit code
    │   └── PoisonedRecord
    └── Stop                      a promise would be broken by going on              exit code 1
        ├── StorageFull           no room; what was landed before is intact
        ├── ArchiveDamaged        a dump is cut or corrupt; every whole row before the damage is landed
        └── WindowNotCovered      the source cannot show the whole window

Messages are one line: what is wrong, where, and the next step. Adapters translate foreign exceptions once and keep
the cause.
"""

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3


class PlatformError(Exception):
    """The root: catch this to catch everything the platform raises on purpose."""

    exit_code = EXIT_FAILED


class FixConfiguration(PlatformError):
    """Trying again changes nothing until a person has changed something."""


class InvalidRequest(FixConfiguration):
    """An event or a command line asks for something that cannot be served."""

    exit_code = EXIT_USAGE


class InvalidSetting(FixConfiguration):
    """A setting is missing or malformed; the message names the variable and an example."""


class CredentialsRejected(FixConfiguration):
    """The source does not accept the credentials."""


class SubredditBlocked(FixConfiguration):
    """The subreddit is private, banned, quarantined or does not exist; others can still be read."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where} cannot be read: {reason}; check the name, or remove it from the list")
        self.where = where
        self.reason = reason


class LakeNotUsable(FixConfiguration):
    """The lake cannot be opened, read or written."""


class ServiceRefused(FixConfiguration):
    """A cloud service refuses a call; the message names service, operation and resource."""


class ArchiveNotUsable(FixConfiguration):
    """A dump file cannot be read, is no dump, or needs more memory than there is."""


class DamagedState(FixConfiguration):
    """A stored value cannot be trusted; nothing was touched."""


class ObjectMissing(DamagedState):
    """An object that was listed, or that a manifest names, is not there (any more)."""


class TryLater(PlatformError):
    """Nothing is wrong here; the same command may succeed later."""

    exit_code = EXIT_INCOMPLETE


class SourceUnavailable(TryLater):
    """The source answers badly or not at all."""


class QuotaSpent(TryLater):
    """The source asks for a pause of `retry_after_s` seconds (None: it does not say how long)."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServiceUnavailable(TryLater):
    """A cloud service is throttling, failing or out of reach, beyond what its SDK tries again by itself."""


class LakeBusy(TryLater):
    """Another process works on the same local lake."""


class RunIncomplete(TryLater):
    """Some of a run's work is not done, and the rest is; raised after everything else was served."""


class DeadlineReached(TryLater):
    """The time given to this run is over; finished windows are saved."""


class SkipRecord(PlatformError):
    """One record is unusable; the others are not."""


class PoisonedRecord(SkipRecord):
    """A record that cannot be stored as it is; it goes to the quarantine beside the landed objects."""


class Stop(PlatformError):
    """Going on would break a promise."""


class StorageFull(Stop):
    """There is no room for an object; what was landed before is intact."""


class ArchiveDamaged(Stop):
    """A dump file is cut or corrupt; every whole row before the damage is landed."""


class WindowNotCovered(Stop):
    """The source cannot show the whole window."""


FATAL = (CredentialsRejected, LakeNotUsable, ServiceRefused, Stop)
"""What hits every subreddit alike: a run over several ends."""
