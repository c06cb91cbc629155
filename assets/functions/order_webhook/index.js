// Calls a webhook for each order, signed so that the receiver can tell who called.
//
// Runtime: nodejs, nothing but its own modules. Handler: index.handler.
// Environment:
//     WEBHOOK_URL     http:// or https:// address that takes POST
//     WEBHOOK_SECRET  key of the signature
//
// `X-Signature` is `sha256=` and the HMAC of the body in hex. Any answer but 2xx is an error, so the trigger tries the
// batch again; `X-Message-Id` lets the receiver pass over what it already has.
'use strict';

const crypto = require('crypto');
const http = require('http');
const https = require('https');

const MILLISECONDS = 10000;

function call(message) {
  const body = JSON.stringify({ type: message.body.eventType, data: message.body });
  const signature = crypto.createHmac('sha256', process.env.WEBHOOK_SECRET).update(body).digest('hex');
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'X-Message-Id': message.msgId,
    'X-Signature': `sha256=${signature}`,
  };
  const client = process.env.WEBHOOK_URL.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers, timeout: MILLISECONDS };
    const request = client.request(process.env.WEBHOOK_URL, options, (answer) => {
      answer.resume();
      answer.on('end', () => {
        const accepted = answer.statusCode >= 200 && answer.statusCode < 300;
        if (accepted) resolve(answer.statusCode);
        else reject(new Error(`the webhook answered ${answer.statusCode}`));
      });
    });
    request.on('timeout', () => request.destroy(new Error('the webhook did not answer in time')));
    request.on('error', reject);
    request.end(body);
  });
}

exports.handler = async (event) => {
  const messages = JSON.parse(event);
  for (const message of messages) {
    const status = await call(message);
    console.log(`order ${message.body.orderId}: ${status}`);
  }
  return { called: messages.length };
};
