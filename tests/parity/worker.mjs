// A Worker that answers the questions of the parity run.
import * as lychgate from 'lychgate';

import { answers } from '../answers.mjs';

export default {
  async fetch(request) {
    return Response.json({ answers: await answers(lychgate, await request.json(), {}, true) });
  },
};
