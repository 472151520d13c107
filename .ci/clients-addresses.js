// The calls of @ideal-postcodes/core-node that this project answers, over an invented file of addresses.
'use strict'
const assert = require('assert')
const { Client } = require('@ideal-postcodes/core-node')
const { URL } = require('url')

const { host } = new URL(process.argv[2])
const client = new Client({ api_key: 'any', baseUrl: host, tls: false })

const main = async () => {
  const street = await client.lookupPostcode({ postcode: 'sw1a1aa' })
  assert.deepStrictEqual(street.map((one) => one.line_1), ['1 Ash Road', '2 Ash Road', 'Example Bakery Ltd'])
  assert.deepStrictEqual(street.map((one) => one.udprn), [1001, 1002, 1003])
  const bakery = street[2]
  assert.deepStrictEqual(
    [bakery.organisation_name, bakery.line_2, bakery.post_town, bakery.postcode, bakery.thoroughfare],
    ['Example Bakery Ltd', '10 Ash Road', 'EXAMPLETON', 'SW1A 1AA', 'Ash Road'])
  assert.deepStrictEqual(await client.lookupPostcode({ postcode: 'SW1A 9ZZ' }), [], 'no such postcode: an empty list')
  assert.strictEqual((await client.lookupUdprn({ udprn: 1002 })).line_1, '2 Ash Road')
  assert.strictEqual(await client.lookupUdprn({ udprn: 7 }), null, 'no such UDPRN: null')
  assert.strictEqual((await client.lookupUmprn({ umprn: 2001 })).sub_building_name, 'Flat 1')
  assert.strictEqual(await client.lookupUmprn({ umprn: 7 }), null, 'no such UMPRN: null')
  assert.strictEqual((await client.checkKeyUsability({})).available, true)
  console.log('ok: @ideal-postcodes/core-node: 7 calls')
}
main().catch((error) => {
  console.error('FAILED: @ideal-postcodes/core-node:', error)
  process.exit(1)
})
