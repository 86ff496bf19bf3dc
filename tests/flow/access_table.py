"""Who may do what: every route of the service, in one place.

A route that is missing here fails tests/flow/test_access_matrix.py.
"""

from collections.abc import Iterator, Mapping

from app.models.account import Role

# Anybody may ask these: they tell nothing, or find out themselves who asks.
ANYBODY = """
GET /
GET /console
GET /console/
GET /console/login
POST /console/login
GET /console/login/oidc
GET /console/login/oidc/callback
GET /console/setup
POST /console/setup
GET /docs
GET /health
HEAD /health
GET /metrics
GET /openapi.json
HEAD /openapi.json
GET /ready
HEAD /ready
GET /static/{digest}/{name:path}
GET /version
GET /webhooks/{name}
POST /webhooks/{name}
PUT /webhooks/{name}
POST /api/v1/session
POST /api/v1/setup
"""
# These are there only where the settings name a provider.
OF_PROVIDER = frozenset(
    {"GET /console/login/oidc", "GET /console/login/oidc/callback"}
)
# Who is not signed in is sent to the login, who may not sees why.
PAGES = {
    Role.VIEWER: """
GET /console/brains
GET /console/catalogue
GET /console/handover
GET /console/incidents
GET /console/incidents/{number}
GET /console/log
GET /console/me
GET /console/metrics
GET /console/mutes
GET /console/policy
""",
    Role.ADMIN: """
GET /console/people
GET /console/simulator
""",
}
ROUTES = {
    Role.VIEWER: """
GET /api/v1/alerts
GET /api/v1/alerts/{alert_id}
GET /api/v1/approvals
GET /api/v1/approvals/{approval_id}
GET /api/v1/board
GET /api/v1/brains
GET /api/v1/brains/examples
GET /api/v1/catalogue
GET /api/v1/catalogue/{name}
GET /api/v1/channels
GET /api/v1/decisions
GET /api/v1/decisions/agreement
GET /api/v1/decisions/{decision_id}
GET /api/v1/deliveries
GET /api/v1/deliveries/{delivery_id}
GET /api/v1/deliveries/{delivery_id}/body
GET /api/v1/dispatches
GET /api/v1/export/alerts
GET /api/v1/export/deliveries
GET /api/v1/export/incidents
GET /api/v1/export/log
GET /api/v1/halt
GET /api/v1/handover
GET /api/v1/incidents
GET /api/v1/incidents/{incident_id}
GET /api/v1/incidents/{incident_id}/words
GET /api/v1/jobs
GET /api/v1/jobs/{job_id}
GET /api/v1/jobs/{job_id}/output
GET /api/v1/log
GET /api/v1/log/{entry_id}
GET /api/v1/log/{entry_id}/chain
GET /api/v1/me
GET /api/v1/me/sessions
DELETE /api/v1/me/sessions
DELETE /api/v1/me/sessions/{session_id}
DELETE /api/v1/me/tokens/{token_id}
GET /api/v1/me/tokens
PUT /api/v1/me/password
GET /api/v1/messages
GET /api/v1/messages/{message_id}
GET /api/v1/meters
GET /api/v1/meters/days
GET /api/v1/missions
GET /api/v1/missions/{mission_id}
GET /api/v1/mutes
GET /api/v1/mutes/{mute_id}
GET /api/v1/policy
GET /api/v1/readings
GET /api/v1/reins
GET /api/v1/rulings
GET /api/v1/rulings/{ruling_id}
GET /api/v1/rulings/{ruling_id}/today
DELETE /api/v1/session
GET /api/v1/sources
GET /api/v1/status
GET /api/v1/stream
GET /api/v1/trust
GET /api/v1/trust/ladder
""",
    Role.RESPONDER: """
POST /api/v1/decide
POST /api/v1/dispatches/{dispatch_id}/retry
PUT /api/v1/halt
POST /api/v1/incidents/{incident_id}/acknowledge
POST /api/v1/incidents/{incident_id}/corrections
POST /api/v1/incidents/{incident_id}/merge
POST /api/v1/incidents/{incident_id}/notes
POST /api/v1/incidents/{incident_id}/owner
POST /api/v1/incidents/{incident_id}/split
POST /api/v1/incidents/{incident_id}/unacknowledge
POST /api/v1/jobs/{job_id}/abort
POST /api/v1/mutes
POST /api/v1/mutes/dry-run
POST /api/v1/mutes/import
DELETE /api/v1/mutes/{mute_id}
POST /api/v1/policy/dry-run
GET /api/v1/policy/text
""",
    Role.APPROVER: """
POST /api/v1/approvals/{approval_id}/edit
POST /api/v1/approvals/{approval_id}/grant
POST /api/v1/approvals/{approval_id}/refuse
POST /api/v1/approvals/{approval_id}/withdraw
POST /api/v1/incidents/{incident_id}/decide
POST /api/v1/incidents/{incident_id}/propose
""",
    Role.ADMIN: """
POST /api/v1/channels/{name}/test
GET /api/v1/people
POST /api/v1/people
PATCH /api/v1/people/{account_id}
POST /api/v1/people/{account_id}/invite
GET /api/v1/people/{account_id}/sessions
DELETE /api/v1/people/{account_id}/sessions
DELETE /api/v1/people/{account_id}/sessions/{session_id}
PUT /api/v1/reins
GET /api/v1/simulator
DELETE /api/v1/simulator/faults
POST /api/v1/simulator/faults/{name}
DELETE /api/v1/simulator/faults/{name}
DELETE /api/v1/simulator/scenarios
POST /api/v1/simulator/scenarios/{name}
GET /api/v1/simulator/truth
GET /api/v1/tokens
POST /api/v1/tokens
DELETE /api/v1/tokens/{token_id}
""",
}
# What a browser is told with every answer, whoever asked and whatever for.
GUARDS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
# A form must say which page it is of, or nobody believes what it sends.
FORM = {"referrer-policy": "same-origin"}
# What else may be said, and where: no script runs on the page of the API,
# and its styles stand in it.
OTHERWISE: Mapping[str, Mapping[str, str]] = {
    "GET /docs": {
        "content-security-policy": "default-src 'none'; "
        "style-src 'unsafe-inline'"
    },
    "GET /console/login": FORM,
    "POST /console/login": FORM,
    "GET /console/login/oidc": FORM,
    "GET /console/login/oidc/callback": FORM,
    "GET /console/setup": FORM,
    "POST /console/setup": FORM,
}


def lines_of(table: Mapping[Role, str]) -> Iterator[tuple[str, Role]]:
    """Yield each route of a table with the role that it needs."""
    for role, text in table.items():
        for line in text.split("\n"):
            if line:
                yield line, role


NEEDED: Mapping[str, Role] = dict(lines_of(ROUTES))
SHOWN: Mapping[str, Role] = dict(lines_of(PAGES))
FREE: frozenset[str] = frozenset(ANYBODY.split("\n")) - {""}
