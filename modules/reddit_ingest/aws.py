"""What every AWS adapter shares: how clients behave, and what AWS's errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from .core.errors import PlatformError, ServiceRefused, ServiceUnavailable

CLIENT_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    # What fails for a moment is tried four times within about ten seconds; then the next run tries again.
    retries={"mode": "standard", "total_max_attempts": 4},
)

_PASSING = {
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "InternalServiceFault",
    "ConditionalRequestConflict",
    "OperationAborted",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TooManyUpdates",
    "TransactionInProgressException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "KMSAccessDeniedException"}
_MISSING = {"NoSuchBucket", "ResourceNotFoundException", "404", "ParameterNotFound"}
_KEYS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


def error_code(error: ClientError) -> str:
    """Return the code by which AWS names an error."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


@contextmanager
def translated(operation: str, resource: str) -> Iterator[None]:
    """Turn what the SDK raises into the platform's errors; `operation` reads `s3:PutObject`.

    Raises:
        ServiceRefused: a person must change a permission, a name or a key.
        ServiceUnavailable: it may succeed later.
    """
    try:
        yield
    except PlatformError:
        raise
    except ClientError as error:
        raise _meaning(error, operation, resource) from error
    except (NoCredentialsError, PartialCredentialsError, ParamValidationError) as error:
        raise ServiceRefused(f"{operation} on {resource} cannot be called: {_first_line(error)}") from error
    except (ConnectionError, HTTPClientError) as error:
        raise ServiceUnavailable(
            f"{operation} on {resource} did not answer ({type(error).__name__}); run again later"
        ) from error
    except KeyError as error:
        raise ServiceUnavailable(
            f"{operation} on {resource} sent an answer without {error}; run again later"
        ) from error
    except BotoCoreError as error:
        raise ServiceRefused(f"{operation} on {resource} cannot be called: {_first_line(error)}") from error


def _meaning(error: ClientError, operation: str, resource: str) -> PlatformError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    call = f"{operation} on {resource}"
    if code in _PASSING or status >= 500 or status == 429:
        return ServiceUnavailable(f"{call} fails for the moment ({code}); run again later")
    if code in _DENIED:
        return ServiceRefused(f"{call} is not permitted ({code}); grant {operation} to the role that runs this")
    if code in _MISSING:
        return ServiceRefused(f"{call}: there is no such thing ({code}); check its name, region and account")
    if code in _KEYS:
        return ServiceRefused(f"{call}: AWS does not accept the credentials ({code}); log in again")
    return ServiceRefused(f"{call} is refused ({code}: {_first_line(error.response['Error'].get('Message', ''))})")


def _first_line(text: object) -> str:
    return " ".join(str(text).split())[:160]
