-- Carts for `wrk`: fifty different ones; one request in a thousand has a coupon that has expired. The argument says how many
-- products to consider for a recommendation.

local requests = {}
local expired
local sent = 0

local function cart(number, coupon, consider)
    local lines = {}
    for line = 1, 12 do
        local note = line % 4 == 0 and '"a gift, please wrap it"' or 'null'
        lines[line] = string.format('{"sku":%d,"quantity":%d,"note":%s}', (number * 131 + line * 17) % 10000, 1 + line % 3, note)
    end
    local text = '{"customer":%d,"tier":"%s","coupon":%s,"consider":%d,"lines":[%s]}'
    return string.format(text, 1000 + number, number % 5 == 0 and 'gold' or 'plain', coupon, consider, table.concat(lines, ','))
end

function init(arguments)
    local consider = tonumber(arguments[1])
    local headers = { ['Content-Type'] = 'application/json', ['Accept'] = 'application/json', ['X-Request-Id'] = '8a6e0804-2bd0-4672-b79d-d97027f9071a' }
    for number = 1, 50 do
        requests[number] = wrk.format('POST', '/checkout', headers, cart(number, number % 3 == 0 and '"spring"' or 'null', consider))
    end
    expired = wrk.format('POST', '/checkout', headers, cart(51, '"expired"', consider))
end

function request()
    sent = sent + 1
    if sent % 1000 == 0 then
        return expired
    end
    return requests[sent % 50 + 1]
end

-- One line that the driver reads.
function done(summary, latency)
    local errors = summary.errors
    io.write(string.format('result %d %d %d %d %d\n', summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), errors.connect + errors.read + errors.write + errors.timeout))
end
