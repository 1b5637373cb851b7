import { expect, test } from 'vitest';
import { encryptPush, isPublicKey, topicOf } from './push-encryption.ts';

/** The example of RFC 8291, appendix A. */
const example = {
  text: 'When I grow up, I want to be a watermelon',
  p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  salt: Buffer.from('DGv6ra1nlYgDCS1FRnbzlw', 'base64url'),
  privateKey: Buffer.from('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw', 'base64url'),
  body:
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml' +
    'mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT' +
    'pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
};

test('a push is encrypted as the example of the standard is', () => {
  expect(encryptPush(example.text, example, example).toString('base64url')).toBe(example.body);
});

test('no two pushes look alike', () => {
  expect(encryptPush(example.text, example)).not.toEqual(encryptPush(example.text, example));
});

test('what is no point of the curve is no key, of whatever length it is', () => {
  expect([example.p256dh, `BC${'A'.repeat(85)}`, example.p256dh.slice(0, 40), ''].map(isPublicKey)).toEqual([true, false, false, false]);
});

test('a topic is what push services take, and another for another tag', () => {
  expect(topicOf('approval/Worker/a')).toMatch(/^[\w-]{32}$/u);
  expect(topicOf('approval/Worker/a')).not.toBe(topicOf('approval/Worker/b'));
});
