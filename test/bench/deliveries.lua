-- Every request is a delivery of its own: the same signed body with a fresh X-GitHub-Delivery.
-- Arguments: file of the body, value of X-Hub-Signature-256, number of this run (8 hex digits).

local threads = 0

function setup(thread)
  thread:set('number', threads)
  threads = threads + 1
end

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  local body = file:read('*a')
  file:close()
  local marker = 'DELIVERY-GOES-HERE'
  local headers = {
    ['Host'] = wrk.headers['Host'],
    ['Content-Type'] = 'application/json',
    ['User-Agent'] = 'GitHub-Hookshot/bench',
    ['X-GitHub-Event'] = 'registry_package',
    ['X-GitHub-Delivery'] = marker,
    ['X-Hub-Signature-256'] = args[2],
  }
  local whole = wrk.format('POST', nil, headers, body)
  local from, to = whole:find(marker, 1, true)
  before = whole:sub(1, from - 1)
  after = whole:sub(to + 1)
  run = args[3]
  counter = 0
end

function request()
  counter = counter + 1
  return before .. string.format('%s-0000-4000-8000-%04x%08x', run, number, counter) .. after
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"durationUs":%d,"bytes":%d,"p50Us":%d,"p99Us":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
