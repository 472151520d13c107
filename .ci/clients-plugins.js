// The form plug-ins of Ideal Postcodes, @ideal-postcodes/postcode-lookup and @ideal-postcodes/address-finder, in a page that
// jsdom makes: a person types, chooses an address from the list, and finds it in the fields of the form.
//   node .ci/clients-plugins.js URL       the server has the invented addresses of .ci/clients
'use strict'
const assert = require('assert')
const { JSDOM } = require('jsdom')

const { host } = new URL(process.argv[2])
const FIELDS = ['line_1', 'line_2', 'post_town', 'postcode']
const form = FIELDS.map((name) => `<input id="${name}">`).join('')
const page = new JSDOM(`<body><div id="lookup"></div><form>${form}</form><input id="finder"></body>`, { url: 'http://shop.example/' })
Object.assign(globalThis, { window: page.window, document: page.window.document })
for (const name of ['Document', 'Event', 'Element', 'HTMLElement', 'HTMLInputElement', 'HTMLSelectElement']) globalThis[name] = page.window[name]

const { PostcodeLookup } = require('@ideal-postcodes/postcode-lookup')
const { AddressFinder } = require('@ideal-postcodes/address-finder')

const outputFields = Object.fromEntries(FIELDS.map((name) => [name, `#${name}`]))
// Fails if a plug-in says that it can't ask the server.
const failed = (why) => {
  console.error('FAILED: the form plug-ins of Ideal Postcodes:', why)
  process.exit(1)
}
const server = { apiKey: 'any', baseUrl: host, tls: false, outputFields, onFailedCheck: failed, onSearchError: failed, onSuggestionError: failed }
// One of them writes the post town in title case.
const filled = () => FIELDS.map((name) => document.getElementById(name).value).map((text, n) => (FIELDS[n] === 'post_town' ? text.toUpperCase() : text))
const until = async (what, condition) => {
  for (const end = Date.now() + 60_000; !condition(); await new Promise((resolve) => setTimeout(resolve, 20))) {
    assert.ok(Date.now() < end, `${what}: not within a minute`)
  }
}

const lookup = async () => {
  const controller = PostcodeLookup.setup({ ...server, context: '#lookup' })
  await until('the check of the key', () => document.querySelector('#lookup button'))
  controller.input.value = 'sw1a1aa'
  controller.button.click()
  await until('the list', () => controller.select.options.length === 4)
  const shown = [...controller.select.options].slice(1).map((option) => option.textContent)
  assert.deepStrictEqual(shown.map((text) => text.split(',')[0]), ['1 Ash Road', '2 Ash Road', 'Example Bakery Ltd'])
  controller.select.value = '2'
  controller.select.dispatchEvent(new Event('change'))
  assert.deepStrictEqual(filled(), ['Example Bakery Ltd', '10 Ash Road', 'EXAMPLETON', 'SW1A 1AA'])
  // A postcode that does not exist: the person is asked to type the address.
  await controller.executeSearch('ZZ99ZZ')
  assert.strictEqual(controller.message.textContent || controller.message.innerText, controller.notFoundMessage())
}

const finder = async () => {
  for (const name of FIELDS) document.getElementById(name).value = ''
  const controller = AddressFinder.setup({ ...server, inputField: '#finder' })
  await until('the check of the key', () => document.querySelector('.idpc_autocomplete'))
  controller.input.focus()
  controller.input.value = 'bakery sw1a 1aa'
  controller.input.dispatchEvent(new Event('input'))
  await until('the list', () => controller.suggestions.length === 1)
  assert.strictEqual(controller.suggestions[0].suggestion, 'Example Bakery Ltd, 10 Ash Road, Exampleton, SW1A')
  controller.list.querySelector('li').dispatchEvent(new page.window.MouseEvent('mousedown', { bubbles: true, cancelable: true }))
  await until('the form', () => document.getElementById('line_1').value)
  assert.deepStrictEqual(filled(), ['Example Bakery Ltd', '10 Ash Road', 'EXAMPLETON', 'SW1A 1AA'])
}

const main = async () => {
  await lookup()
  await finder()
  console.log('ok: @ideal-postcodes/postcode-lookup and @ideal-postcodes/address-finder fill a form')
  process.exit(0)
}
main().catch(failed)
