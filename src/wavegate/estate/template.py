# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""The commented estate file that `wavegate init` writes: it loads, and explains every key.

Its names are reserved for documentation (RFC 2606), and so are its addresses (RFC 5737, 3849).
"""

_HEAD = """\
# The estate: what was agreed about a migration. Wavegate only reads this file.
# Replace the example's names and addresses by yours; delete what you do not need.
# Instants carry a zone (2024-01-16T22:00:00Z); a date means 00:00 UTC.
# Durations carry a unit: 250ms, 5s, 60m, 85h, 7d, 1d12h.
# Secrets never stand here, only references: env:NAME, file:PATH (relative to this file's
# folder) or keyring:SERVICE/USER.
version: 1

"""

_POLICY = """\
# Every value below is the default; keep only the lines that you change.
policy:
  notice_days: {dev: 7, stage: 7, prod: 7}    # days between the notice and the opening
  earliest: {dev: 2023-10-01, stage: 2023-10-01, prod: 2024-01-01}    # no opening before
  due:                            # how long after the window's end a cell may stay open
    sending_window: 3h            # promises that are not named: 0
    only_sending_disrupted: 3h
    throughput: 15d
    queued_mail: 85h
    availability_after: 14d
  throughput_margin: 0.10         # how much slower sending may be
  throughput_unit: 24h            # distance between independent pieces of evidence
  latency_margin: 0.25            # how much later seed mails may arrive
  coverage_alpha: 0.001           # chance of overlooking a sending IP
  probe_interval: 5s              # distance between two probes of one function
  confirm: 3                      # bad samples in a row that convict
  resume_within: auto             # how soon each sending IP sends again; auto: from the baseline
  settle: auto                    # how long watch goes on after the close
  queue_deadline: 85h             # by when every queued mail is accounted for
  lost_share: 0                   # share of queued mail that may be lost
  accept_expired: false           # whether expired in the queue counts as accounted for
  options: []                     # names of Campaign options to compare
  blocklists: []                  # DNS zones of blocklists to ask
  reachable_private: []           # private networks that probes may contact
  keep: {recipients: hmac, bodies: true}    # of a mail: hmac or plain; whole or only hashes
  before_max_age: 7d              # the oldest `before` that counts at the opening
  clock_tolerance: 5s             # clock difference that is not worth a finding
  failover_within: 2m             # how soon sending goes on after a node stops
  too_slow: 10s                   # a later answer is silence
  timestamps: {dev: optional, stage: optional, prod: required}   # or one word for all
  tsa: []                         # URLs of RFC 3161 timestamp authorities

"""

_DNS = """\
# resolvers: ["192.0.2.53:53"]    # default: those of this machine
# authoritative:                  # where to ask about a zone, instead of following its NS
#   "news.example.com.": ["192.0.2.53:53", "[2001:db8::53]:53"]

"""

_CUSTOMERS = """\
customers:
  - name: example
    # secret: env:EXAMPLE_EXTRACT_SECRET    # lets the customer prove an extract complete

"""

_INSTANCES = """\
instances:
  - name: example-prod1
    customer: example
    product: campaign-v8          # campaign-v7 | campaign-v8
    hosting: managed              # hosted | hybrid | managed | on-premise
    environment: prod             # dev | stage | prod
    # wave: unplanned             # only if it is affected and deliberately moves later
    # owner: mail-team@example.com    # who is told what the nightly finds
    # asleep: [{from: "20:00", to: "06:00"}]    # stopped every day, UTC: its silence is no alarm
    url: https://campaign.example.com    # without it, DNS and mail only
    # tls: {ca: file:ca.pem}      # a certificate authority of your own
    credentials:
      operator: env:EXAMPLE_OPERATOR
      password: env:EXAMPLE_PASSWORD
      # or, in place of both:
      # ims:
      #   client_id: env:IMS_CLIENT_ID
      #   client_secret: env:IMS_CLIENT_SECRET
      #   scopes: "openid,AdobeID"
      #   url: https://ims.example.net/ims/token/v3
    sending_ips: [192.0.2.10, "2001:db8::10"]
    domains:
      - name: news.example.com
        selectors: [acc1]         # DKIM
        primary: true             # the other domains' reverse DNS and bounces derive from it
    mail:                         # where received mail is read; one kind per entry
      - sink: true                # `wavegate sink`
        listen: "127.0.0.1:2525"
        proxy_from: ["127.0.0.1/32"]         # who may speak the PROXY protocol
        recipients: ["*@seed.example.net"]   # all others are refused
      # - imap: imaps://mail.example.net/INBOX
      #   trusted_receiver: mx.example.net   # whose Received header is believed
      #   credentials: {user: env:IMAP_USER, password: env:IMAP_PASSWORD}
      #   tls: {ca: file:ca.pem}             # a certificate authority of your own
      # - maildir: mail/                     # each with its trusted_receiver
      # - mbox: seeds.mbox
      # - eml: seeds/                        # a folder of .eml files, or one of them
      # - dmarc_reports: reports/            # aggregate reports: .xml, .gz, .zip
    # moved_when: {received_by: "-new-dc-[0-9]+$"}    # a sign that the move happened
    functions:                    # overrides the product's defaults; `name: false` switches off
      tracking: {url: https://t.news.example.com/r/test, every: 5s}
      mirror_page: {url: /nl/jsp/m.jsp, contains: "seed"}    # relative to the url above
      # message_center: {event_type: evtSeed, seed: seed@seed.example.net}
      # inbound_mx: {host: "mx.news.example.com:25"}
      # workflow: {name: wkfSeed}
      sms: false
    masks:                        # daily disturbances declared beforehand; times in UTC
      - {function: tracking, daily_at: "06:00", for: 5m, reason: "daily restart"}
    # planned:                    # what availability_after may rest on
    #   - {stop: mta, node: mta-1, at: 2024-01-20T10:00:00Z, for: 10m}
    #   - {load: "twice the usual volume", at: 2024-01-21T10:00:00Z, for: 2h}
  - name: example-dev1
    customer: example
    product: campaign-v8
    hosting: managed
    environment: dev

"""

_WAVES = """\
waves:
  - name: 2024-01-w1
    window: {start: 2024-01-16T22:00:00Z, end: 2024-01-16T23:00:00Z}
    announced_duration: 60m
    decide_by: 2024-01-17T04:00:00Z    # until when a person can still roll back
    instances: [example-prod1]
    notices:
      - customer: example
        sent: 2024-01-05T09:00:00Z
        reference: mail-4711
        # announces: {start: 2024-01-16T22:00:00Z, end: 2024-01-16T23:00:00Z}    # default
  - name: 2023-11-dev
    closed:                       # ended before Wavegate was used: a claim, and shown as one
      at: 2023-11-20T09:00:00Z
      approved_by: "A. Person"
      reference: CHG-77
    instances: [example-dev1]

"""

_EXCEPTIONS = """\
# What is known beforehand to be unknowable; signed with the plan, listed in the report.
limits:
  - promise: throughput
    instances: [example-dev1]
    reason: "no load in dev"
    approved_by: "A. Person"

# A waiver never changes a verdict, only what the gate does with it.
waivers: []
# waivers:
#   - promise: spf
#     instance: example-prod1
#     # or, in place of both, the id that the report prints:
#     # cause: 64 hex digits
#     reason: "..."
#     approved_by: "A. Person"
#     until: 2024-02-01             # the end of that day

# A change that the nightly is told of beforehand: used once, it moves no baseline.
expected_changes: []
# expected_changes:
#   - instances: [example-dev1]
#     promise: build_version
#     from: "9282"                  # as the nightly's finding prints it
#     to: "9283"
#     ticket: CHG-78
#     between: {from: 2024-01-10, to: 2024-01-12}    # to the end of that day
"""


def template() -> str:
    """A commented estate that loads and teaches each key."""
    return _HEAD + _POLICY + _DNS + _CUSTOMERS + _INSTANCES + _WAVES + _EXCEPTIONS
