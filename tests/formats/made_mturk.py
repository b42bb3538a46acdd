"""Results of batches as Amazon Mechanical Turk writes them.

The columns, and the way in which times are written, are those that public programs for such files expect. What an
assignment is, and `Approve`, `Reject`, and the elements of a form, is explained in
https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI/ApiReference_AssignmentDataStructureArticle.html
https://docs.aws.amazon.com/AWSMechTurk/latest/RequesterUI/ReviewingResultsOutsideoftheRUI.html
https://docs.aws.amazon.com/sagemaker/latest/dg/sms-ui-template-reference.html
"""

import csv
from collections.abc import Sequence
from pathlib import Path

# fmt: off
COLUMNS = (
    "HITId", "HITTypeId", "Title", "Description", "Keywords", "Reward", "CreationTime", "MaxAssignments",
    "RequesterAnnotation", "AssignmentDurationInSeconds", "AutoApprovalDelayInSeconds", "Expiration",
    "NumberOfSimilarHITs", "LifetimeInSeconds", "AssignmentId", "WorkerId", "AssignmentStatus", "AcceptTime",
    "SubmitTime", "AutoApprovalTime", "ApprovalTime", "RejectionTime", "RequesterFeedback", "WorkTimeInSeconds",
    "LifetimeApprovalRate", "Last30DaysApprovalRate", "Last7DaysApprovalRate",
)
# fmt: on


def assignment(hit: str, worker: str, answers: dict[str, str], **changes: str) -> dict[str, str]:
    row = dict.fromkeys(COLUMNS, "") | {
        "HITId": hit,
        "HITTypeId": "3ABC",
        "Title": 'Which "plant" is it?',
        "Description": "Look,\nthen choose",
        "Reward": "$0.05",
        "CreationTime": "Thu Aug 12 09:00:00 PDT 2021",
        "MaxAssignments": "3",
        "AssignmentId": f"{hit}-{worker}",
        "WorkerId": worker,
        "AssignmentStatus": "Approved",
        "AcceptTime": "Thu Aug 12 10:10:00 PDT 2021",
        "SubmitTime": "Thu Aug 12 10:11:12 PDT 2021",
        "LifetimeApprovalRate": "100% (7/7)",
        "Last30DaysApprovalRate": "0% (0/0)",
        "Input.image_url": f"https://example.org/{hit}.jpg",
    }
    return row | answers | {"Approve": "", "Reject": ""} | changes


def write(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return path
