// All calls of node-postcodes.io, with what postcodes.io answers over the same data.
'use strict'
const assert = require('assert')
const client = require('node-postcodes.io')
client.endpoint = process.argv[2]

let calls = 0
const call = async (name, ...args) => {
  calls += 1
  const answer = await client[name](...args)
  assert.ok(answer && answer.status, name + ' ' + JSON.stringify(args) + ': ' + JSON.stringify(answer))
  return answer
}
const result = async (name, ...args) => {
  const answer = await call(name, ...args)
  assert.strictEqual(answer.status, 200, name + ' ' + JSON.stringify(args) + ': ' + JSON.stringify(answer))
  return answer.result
}
const codes = (list) => list.map((one) => one.outcode)

const main = async () => {
  assert.strictEqual((await result('lookup', 'AB101AB')).admin_district, 'Aberdeen City')
  const unknown = await call('lookup', 'ZZ999ZZ')
  assert.strictEqual(unknown.status, 404)
  assert.strictEqual(unknown.error, 'Postcode not found')
  const bulk = await result('lookup', ['AB101AB', 'nonsense'])
  assert.deepStrictEqual(bulk.map((one) => one.query), ['AB101AB', 'nonsense'])
  assert.strictEqual(bulk[1].result, null)
  const filtered = await result('lookup', ['AB101AB'], { filter: 'postcode,longitude' })
  assert.deepStrictEqual(Object.keys(filtered[0].result), ['postcode', 'longitude'])

  const [latitude, longitude] = [57.14959, -2.096923]
  const near = await result('geo', latitude, longitude)
  assert.ok(near.length > 0 && near[0].distance >= 0)
  assert.ok((await result('geo', latitude, longitude, { limit: 1 })).length > 0)
  const locations = [{ longitude, latitude, radius: 1000, limit: 2 }]
  assert.strictEqual((await result('geo', locations))[0].result.length, 2)
  const few = await result('geo', locations, { filter: 'postcode', wideSearch: false })
  assert.deepStrictEqual(Object.keys(few[0].result[0]), ['postcode'])

  assert.ok((await result('random')).postcode)
  assert.strictEqual(await result('validate', 'AB10 1AB'), true)
  assert.strictEqual(await result('validate', 'AB1 0AA'), false)
  assert.ok((await result('nearest', 'AB101AB')).length > 0)
  assert.strictEqual((await result('nearest', 'AB101AB', { radius: 1000, limit: 3 })).length, 3)
  assert.ok((await result('autocomplete', 'AB10')).every((one) => one.startsWith('AB10')))
  assert.strictEqual((await result('autocomplete', 'AB10', { limit: 2 })).length, 2)
  assert.ok((await result('query', 'AB101')).length > 0)
  assert.strictEqual((await result('query', 'AB101', { limit: 2 })).length, 2)
  assert.strictEqual((await result('terminated', 'AB1 0AA')).year_terminated, 1996)

  assert.strictEqual((await result('outcodes', 'AB10')).outcode, 'AB10')
  assert.deepStrictEqual(codes(await result('outcodes', 'AB10', { limit: 2 })), ['AB10', 'AB11'])
  assert.strictEqual((await result('outcodes', latitude, longitude))[0].outcode, 'AB11')
  const outcodes = await result('outcodes', latitude, longitude, { limit: 2, radius: 25000 })
  assert.deepStrictEqual(codes(outcodes), ['AB11', 'AB10'])
  assert.strictEqual((await result('places', 'osgb4000000074551019')).name_1, 'Stirling')
  assert.strictEqual((await result('places', 'Stirling', { limit: 1 }))[0].local_type, 'City')
  assert.ok((await result('places')).code)

  const done = ['lookup', 'geo', 'random', 'validate', 'nearest', 'autocomplete', 'query', 'terminated', 'outcodes', 'places']
  const all = Object.getOwnPropertyNames(Object.getPrototypeOf(client)).filter((name) => name !== 'constructor')
  assert.deepStrictEqual(all.filter((name) => !done.includes(name)), [], 'calls that are not tried')
  console.log(`ok: node-postcodes.io, ${calls} calls of ${all.length} methods`)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
